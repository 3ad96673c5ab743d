"""What is read of the patch of a seeded bug."""

from pathlib import Path

import pytest

from devtools import mutants
from devtools.errors import ToolError
from tests.support.seeded import TESTS, mutant

GOOD = "Class: off by one\nBug: It counts: one too many.\nCaught by: tests/unit/a.py\n\n--- a/x\n"


def test_a_patch_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "one.patch").write_text(GOOD)
    (found,) = mutants.all_of_them(tmp_path)
    assert (found.name, found.kind, found.bug) == ("one", "off by one", "It counts: one too many.")
    assert found.tests == ("tests/unit/a.py",)


@pytest.mark.parametrize("word", ["Class", "Bug", "Caught by"])
def test_a_patch_that_leaves_something_out_is_refused(tmp_path: Path, word: str) -> None:
    kept = [line for line in GOOD.splitlines() if not line.startswith(word)]
    (tmp_path / "one.patch").write_text("\n".join(kept))
    with pytest.raises(ToolError, match=word):
        mutants.all_of_them(tmp_path)


@pytest.mark.parametrize("file", ["tests/cluster/test_a.py", "tests/units/a.py", "a.py"])
def test_what_is_of_no_tier_that_is_asked_is_refused(tmp_path: Path, file: str) -> None:
    (tmp_path / "one.patch").write_text(GOOD.replace("tests/unit/a.py", file))
    with pytest.raises(ToolError, match=f"caught by {file}"):
        mutants.all_of_them(tmp_path)


def test_a_patch_that_was_made_anew_is_another(tmp_path: Path) -> None:
    (tmp_path / "one.patch").write_text(GOOD)
    (tmp_path / "two.patch").write_text(GOOD)
    (tmp_path / "three.patch").write_text(f"{GOOD}+++ b/x\n")
    one, three, two = mutants.all_of_them(tmp_path)
    assert one.digest == two.digest != three.digest


def test_the_tests_of_a_tier_are_told_apart() -> None:
    assert mutant().tests == TESTS
    assert mutant().of("unit") == ("tests/unit/a.py", "tests/unit/c.py")
    assert mutant().of("apiserver") == ()
    assert mutant().tiers == ("unit", "store", "faults")


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ToolError, match="no mutant nobody"):
        mutants.chosen(["nobody"])
