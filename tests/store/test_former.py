"""Who stood in a place before: real processes, a real lock."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coxswain.process import former

HOLDS = """
import sys, time
from pathlib import Path
from coxswain.process import former
print(former.take_place(Path(sys.argv[1]), sys.argv[2]), flush=True)
time.sleep(600)
"""


@contextmanager
def _holder(file: Path, identity: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", HOLDS, str(file), identity]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _found(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_first_one_in_a_place_knows_of_nobody(tmp_path: Path) -> None:
    assert former.take_place(tmp_path / "lock", "one") is None


def test_whoever_comes_after_a_process_that_was_killed_knows_that_it_is_dead(
    tmp_path: Path,
) -> None:
    with _holder(tmp_path / "lock", "one_longer_than_the_next") as before:
        assert _found(before) == "None"
        before.kill()
        before.wait()
        with _holder(tmp_path / "lock", "one_2") as after:
            assert _found(after) == "one_longer_than_the_next"
            after.kill()
            after.wait()
        assert former.take_place(tmp_path / "lock", "one_3") == "one_2"


def test_of_one_that_lives_nobody_says_that_it_is_dead(tmp_path: Path) -> None:
    with _holder(tmp_path / "lock", "one") as alive:
        assert _found(alive) == "None"
        assert former.take_place(tmp_path / "lock", "two") is None
        assert (tmp_path / "lock").read_text() == "one"


def test_where_nothing_can_be_locked_nobody_is_known(tmp_path: Path) -> None:
    assert former.take_place(tmp_path / "nowhere" / "lock", "one") is None
