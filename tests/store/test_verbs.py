"""The one entry of all our processes, as somebody types it."""

import os
import subprocess
import sys

import pytest

from coxswain.settings import OperatorSettings


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coxswain", *arguments],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_an_operator_without_settings_names_each_missing_key_and_ends() -> None:
    ended = run("operator")
    assert ended.returncode == 78
    required = [name for name, each in OperatorSettings.model_fields.items() if each.is_required()]
    assert required
    for name in required:
        assert f"COXSWAIN_{name.upper()}: Field required" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [(), ("row",), ("operator", "now")])
def test_a_wrong_call_says_which_verbs_there_are(arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert "operator|sidecar|models|egress|channels|migrate" in ended.stderr
