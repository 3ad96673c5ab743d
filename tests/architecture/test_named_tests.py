"""Pages that name tests name tests that are there."""

import re

import pytest

from devtools import ledger
from tests.architecture.test_layout import REPOSITORY

MUSEUM = REPOSITORY / "tests" / "apiserver" / "museum"
FAULTS = REPOSITORY / "tests" / "faults"
NODE = re.compile(r"`((?:[\w/]+/)?test_\w+\.py::test_\w+)`")


def named(page: str) -> list[str]:
    """The tests that a page names, as it writes them."""
    return NODE.findall((REPOSITORY / "docs" / page).read_text())


def test_the_gates_name_tests_that_are_there() -> None:
    found = named("gates.md")
    assert len(found) >= 10
    assert [each for each in found if not ledger.exists(each)] == []


@pytest.mark.parametrize("name", [each.name for each in sorted(MUSEUM.glob("test_*.py"))])
def test_the_museums_page_names_each_of_its_tests_and_no_other(name: str) -> None:
    tests = re.findall(r"^async def (test_\w+)", (MUSEUM / name).read_text(), re.M)
    said = [each for each in named("museum.md") if each.startswith(f"{name}::")]
    assert tests
    assert sorted(said) == sorted(f"{name}::{each}" for each in tests)


def _found_by() -> list[list[str]]:
    """The plans and workloads that docs/faults.md names, for each bug that was found."""
    page = (REPOSITORY / "docs" / "faults.md").read_text()
    rows = page.partition("## Found\n")[2].partition("\n## ")[0].strip().splitlines()[2:]
    return [re.findall(r"`([\w/-]+)`", row.split("|")[2]) for row in rows]


def test_each_bug_that_the_fault_tester_found_is_kept_as_a_plan_or_a_workload() -> None:
    found = _found_by()
    assert len(found) >= 6
    for names in found:
        kept = [FAULTS / "plans" / f"{each}.yaml" for each in names if "/" in each]
        kept += [FAULTS / "workloads" / f"{each}.py" for each in names if "/" not in each]
        assert kept
        assert [each for each in kept if not each.is_file()] == []
