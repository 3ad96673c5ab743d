"""The reader of the page of faults finds what is missing, and holds its count."""

from pathlib import Path

import pytest

from devtools import fault_rows
from devtools.fault_rows import WANTED

PLAN = "tests/faults/plans/retry/a.yaml"
SHOWN = f"`{PLAN}`"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    plan = tmp_path / PLAN
    plan.parent.mkdir(parents=True)
    plan.write_text("")
    (tmp_path / "tests" / "test_one.py").write_text("def test_there() -> None: ...\n")
    return tmp_path


def page(*first: str, rows: int = WANTED) -> str:
    """So many rows, the first of which are shown by this, and the sentence that counts them."""
    shown = [*first, *[SHOWN] * (rows - len(first))]
    table = "\n".join(f"| {n} | a fault | {each} |" for n, each in enumerate(shown, start=1))
    return f"{fault_rows.counts(fault_rows.rows(table))}\n\n{table}\n"


def test_a_plan_and_a_test_that_are_there_are_accepted(repository: Path) -> None:
    assert fault_rows.faults(page("`tests/test_one.py::test_there`"), repository) == []


@pytest.mark.parametrize(
    "proof", ["tests/faults/plans/retry/gone.yaml", "tests/test_one.py::test_gone", "gone --all"]
)
@pytest.mark.parametrize("shown", ["`{}`", "part: `{}`; missing: more", "not yet: beside `{}`"])
def test_what_is_not_there_is_named_with_its_row(proof: str, shown: str, repository: Path) -> None:
    found = fault_rows.faults(page(SHOWN, shown.format(proof)), repository)
    assert found == [f"docs/fault-rows.md: row 2 names {proof}, which is not there"]


def test_rows_are_counted_by_how_much_of_them_is_played() -> None:
    found = fault_rows.rows(
        page(f"part: {SHOWN}; missing: half of it", "not yet: why", "not yet: w")
    )
    assert fault_rows.counts(found) == (
        "Of 110 faults 107 are played whole, 1 in part, and 2 by nothing yet."
    )


def test_a_count_that_is_not_that_of_the_rows_is_named(repository: Path) -> None:
    wrong = fault_rows.faults(
        page().replace("110 are played whole", "9 are played whole"), repository
    )
    assert wrong == [
        "docs/fault-rows.md: it does not say:"
        " Of 110 faults 110 are played whole, 0 in part, and 0 by nothing yet."
    ]


def test_a_row_that_is_left_out_or_stands_twice_is_seen(repository: Path) -> None:
    (wrong,) = fault_rows.faults(page(rows=WANTED - 1), repository)
    assert "its rows are not 1 to 110" in wrong
    (wrong,) = fault_rows.faults(page().replace("| 7 |", "| 8 |"), repository)
    assert "its rows are not 1 to 110" in wrong


def test_a_row_that_says_nothing_is_named(repository: Path) -> None:
    assert fault_rows.faults(page("something"), repository) == [
        "docs/fault-rows.md: row 1 names nothing in backticks that plays it"
    ]
