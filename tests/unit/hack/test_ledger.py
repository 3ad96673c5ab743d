"""The ledger's reader finds what is missing."""

from pathlib import Path

import pytest

from devtools import ledger
from devtools.errors import ToolError

HEAD = "# Ledger\n\n| id | what it promises | shown by |\n|---|---|---|\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text(
        "def test_there() -> None: ...\nclass TestKind:\n    def test_inside(self) -> None: ...\n"
    )
    (tmp_path / "run").write_text("")
    (tmp_path / "run").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    "proof",
    [
        "tests/test_one.py::test_there",
        "tests/test_one.py::test_there[a-b]",
        "tests/test_one.py::TestKind::test_inside",
        "run all --of it",
    ],
)
def test_a_proof_that_is_there_is_accepted(proof: str, repository: Path) -> None:
    found = ledger.rows(f"{HEAD}| AG-01 | agents | `{proof}` |\n")
    assert ledger.faults(found, repository) == []


@pytest.mark.parametrize(
    "proof",
    [
        "tests/test_one.py::test_gone",
        "tests/test_two.py::test_there",
        "gone --all",
        "tests/test_one.py",
    ],
)
def test_a_proof_that_is_not_there_is_named(proof: str, repository: Path) -> None:
    found = ledger.rows(f"{HEAD}| AG-01 | agents | `{proof}` |\n")
    assert ledger.faults(found, repository) == [
        f"docs/ledger.md:5: AG-01 names {proof}, which is not there"
    ]


@pytest.mark.parametrize("name", ["K-01", "AG-09", "ACC-C-2", "ACC-003-6"])
def test_requirements_and_acceptances_are_rows(name: str, repository: Path) -> None:
    assert ledger.faults(ledger.rows(f"{HEAD}| {name} | it holds | `run` |\n"), repository) == []


def test_a_part_says_what_is_missing_and_is_counted_apart() -> None:
    text = f"{HEAD}| K-01 | kinds | part: `run`; missing: three kinds |\n| ACC-C-2 | b | `run` |\n"
    assert ledger.counts(ledger.rows(text)) == "2 requirements shown: 1 whole, 1 in part"


def test_a_part_without_what_is_missing_is_refused() -> None:
    with pytest.raises(ToolError, match="missing: what"):
        ledger.rows(f"{HEAD}| K-01 | kinds | part: `run` |\n")


def test_a_row_twice_or_without_a_proof_is_a_fault(repository: Path) -> None:
    found = ledger.rows(f"{HEAD}| K-01 | kinds | `run` |\n| K-01 | kinds | soon |\n")
    assert ledger.faults(found, repository) == [
        "K-01 stands in 2 rows",
        "docs/ledger.md:6: K-01 names no proof in backticks",
    ]
