"""An operator that was copied of a process that has imported it is a process like any other."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devtools import patience
from tests.support import warm
from tests.support.leader import Installation, Operator, Starting
from tests.support.postgres import Database

LEASE_SECONDS = 3.0
"""After so long without a renewal a leader here starts itself anew."""


@pytest.fixture
def living(installation: Installation, database: Database, tmp_path: Path) -> Iterator[Operator]:
    """One that leads."""
    with installation.operator(database, tmp_path) as started:
        _leads(started)
        yield started


def _leads(operator: Operator, times: int = 1) -> None:
    """Wait until it has begun to lead so often."""
    patience.until(
        lambda: "" if operator.text.count("event=leading") >= times else "it to lead", 30
    )


def _state(operator: Operator) -> str:
    """As the kernel says: T is stopped; nothing once it has ended and is reaped."""
    file = Path(f"/proc/{operator.process.pid}/stat")
    return file.read_text().rpartition(")")[2].split()[0] if file.exists() else ""


def test_it_reads_its_own_environment_and_says_in_its_own_log_what_it_refuses(
    operators: Starting, tmp_path: Path
) -> None:
    codes = []
    for wrong in ("one", "two"):
        log = tmp_path / wrong
        started = operators({"COXSWAIN_LEASE_SECONDS": wrong}, log)
        codes.append(started.wait(20))
        assert "COXSWAIN_LEASE_SECONDS" in log.read_text()
    assert codes == [78, 78]


def test_it_runs_the_code_to_which_the_tests_were_pointed() -> None:
    own = warm.roots({})
    assert warm.roots({"PYTHONPATH": "bugged:more"}) == f"{own}:bugged:more"


def test_it_has_a_session_and_files_of_its_own(living: Operator) -> None:
    pid = living.process.pid
    assert os.getsid(pid) == pid
    files = [(Path(f"/proc/{pid}/fd") / str(number)).readlink() for number in range(3)]
    assert files == [Path(os.devnull), living.log, living.log]


def test_one_that_is_killed_tells_its_signal_and_hears_no_other(living: Operator) -> None:
    assert living.process.poll() is None
    living.process.kill()
    assert living.process.wait(10) == -signal.SIGKILL
    living.process.terminate()
    assert living.process.poll() == -signal.SIGKILL
    assert _state(living) == ""


def test_one_that_is_frozen_has_not_ended(living: Operator) -> None:
    living.freeze()
    with pytest.raises(subprocess.TimeoutExpired):
        living.process.wait(0.2)
    assert _state(living) == "T"
    living.thaw()
    assert living.terminate() == 0


def test_one_that_starts_anew_does_so_as_a_container_would(living: Operator) -> None:
    def words() -> list[str]:
        return Path(f"/proc/{living.process.pid}/cmdline").read_text().split("\0")[1:-1]

    assert words() == ["-m", "tests.support.warm_server"]
    living.freeze()
    until = time.monotonic() + LEASE_SECONDS
    patience.until(lambda: "" if time.monotonic() > until else "its lease to run out", 10)
    living.thaw()
    patience.until(lambda: "" if words() == ["-m", "coxswain", "operator"] else f"{words()}", 10)
    _leads(living, times=2)


def test_all_of_them_end_with_what_they_were_copied_of(
    installation: Installation, database: Database, tmp_path: Path
) -> None:
    with (
        warm.running(tmp_path) as server,
        replace(installation, start=server.start).operator(database, tmp_path) as operator,
    ):
        _leads(operator)
        server.process.kill()
        assert operator.process.wait(10) == -signal.SIGKILL
        with pytest.raises(RuntimeError, match="the process that is copied has ended"):
            server.start({}, tmp_path / "log")
