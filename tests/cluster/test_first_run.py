"""README's first command, on a machine where it has run before."""

import json
import os
import shutil
import subprocess
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from devtools import example, places
from devtools.kubectl import Kubectl
from devtools.tiers import WORKSPACES

pytestmark = pytest.mark.alone

REPEAT_SECONDS = 90.0
CALL_SECONDS = 60.0
# A person is slower than the forwarded port; a script is not.
CURL = "fail\nsilent\nretry = 20\nretry-delay = 1\nretry-connrefused\n"


@dataclass(frozen=True)
class Repeat:
    """A further run of `hack/up`: what it printed, and how long it took."""

    code: int
    said: str
    told: str
    seconds: float


@pytest.fixture(scope="module")
def repeat(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Repeat:
    values = tmp_path_factory.mktemp("up") / "values.json"
    values.write_text(json.dumps({"workspaces": [{"name": name} for name in WORKSPACES]}))
    example.run(kubectl)
    started = time.monotonic()
    done = subprocess.run(
        [places.REPOSITORY / "hack" / "up", "--values", values],
        capture_output=True,
        text=True,
        check=False,
    )
    return Repeat(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


def test_a_repeat_of_hack_up_shows_the_answer_within_ninety_seconds(repeat: Repeat) -> None:
    assert repeat.code == 0, repeat.told
    for words in ("Question", "Answer", "DRINK ME", "Timeline", "Succeeded", "Next", "hack/down"):
        assert words in repeat.said
    assert "build " not in repeat.told
    assert repeat.seconds < REPEAT_SECONDS


@pytest.mark.skipif(shutil.which("curl") is None, reason="what is printed calls curl")
def test_what_it_says_to_do_next_asks_the_api_and_is_answered(
    repeat: Repeat, tmp_path: Path
) -> None:
    printed = repeat.said.partition("\nNext\n")[2].partition("\n  hack/test ")[0]
    (tmp_path / ".curlrc").write_text(CURL)
    script = f"set -e; trap 'kill $(jobs -p)' EXIT\n{textwrap.dedent(printed)}"
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        timeout=CALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (answer,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert json.loads(answer)["events"]
