"""README's first command, on a machine where it has run before."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from devtools import example, places
from devtools.kubectl import Kubectl
from devtools.tiers import WORKSPACES

pytestmark = pytest.mark.alone

REPEAT_SECONDS = 90.0


def test_a_repeat_of_hack_up_shows_the_answer_within_ninety_seconds(
    kubectl: Kubectl, tmp_path: Path
) -> None:
    values = tmp_path / "values.json"
    values.write_text(json.dumps({"workspaces": [{"name": name} for name in WORKSPACES]}))
    example.run(kubectl)
    started = time.monotonic()
    done = subprocess.run(
        [places.REPOSITORY / "hack" / "up", "--values", values],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    for words in ("Question", "Answer", "DRINK ME", "Timeline", "Succeeded", "Next", "hack/down"):
        assert words in done.stdout
    assert "build " not in done.stderr
    assert seconds < REPEAT_SECONDS
