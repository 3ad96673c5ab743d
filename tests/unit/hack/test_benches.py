"""Benches are found by name."""

from pathlib import Path

import pytest

from devtools import benches
from devtools.errors import ToolError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("test_jobs.py", "test_leases_kept.py", "test_leases_lost.py", "figures.py"):
        (tmp_path / name).touch()
    return tmp_path


def test_a_bench_is_named_by_the_first_word_of_its_files(folder: Path) -> None:
    assert benches.names(folder) == ["jobs", "leases"]


def test_a_name_gives_all_its_files_and_no_others(folder: Path) -> None:
    found = [path.name for path in benches.files(["leases"], folder)]
    assert found == ["test_leases_kept.py", "test_leases_lost.py"]


def test_no_name_gives_every_bench(folder: Path) -> None:
    assert len(benches.files([], folder)) == 3


def test_an_unknown_name_is_refused_with_those_that_there_are(folder: Path) -> None:
    with pytest.raises(ToolError) as refused:
        benches.files(["jobs", "lease"], folder)
    assert "no bench lease" in str(refused.value)
    assert refused.value.hint == "benches: jobs, leases"


def test_the_benches_of_this_repository_are_found() -> None:
    assert "jobs" in benches.names()
