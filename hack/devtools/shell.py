"""Runs other programs and turns their failures into errors a person can read."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.errors import ToolError

TAIL = 25


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    hint: str = "",
) -> str:
    """Run to the end and return stdout; a failure carries the last lines of its output."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as missing:
        raise ToolError(f"program not found: {words[0]}", hint) from missing
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()[-TAIL:]
        raise ToolError(
            f"{' '.join(words[:4])} ... ended with {done.returncode}:\n" + "\n".join(lines), hint
        )
    return done.stdout


def answers(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> bool:
    """True if the program exists and ends well; its output is dropped."""
    if shutil.which(str(command[0])) is None:
        return False
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0
