"""Pages that name tests name tests that are there."""

import re

import pytest

from devtools import ledger
from tests.architecture.test_layout import REPOSITORY

MUSEUM = REPOSITORY / "tests" / "apiserver" / "museum"
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
