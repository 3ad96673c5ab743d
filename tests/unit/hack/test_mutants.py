"""What hack/mutants reads of a patch, and what it tells."""

from pathlib import Path

import pytest

from devtools import mutants
from devtools.errors import ToolError
from devtools.mutants import Mutant, Verdict

TESTS = ("tests/unit/a.py", "tests/store/b.py", "tests/unit/c.py")
GOOD = "Class: off by one\nBug: It counts: one too many.\nCaught by: tests/unit/a.py\n\n--- a/x\n"


def mutant(name: str = "one") -> Mutant:
    return Mutant(name, "off by one", "It counts one too many.", TESTS)


def test_a_patch_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "one.patch").write_text(GOOD)
    (found,) = mutants.all_of_them(tmp_path)
    assert found == Mutant("one", "off by one", "It counts: one too many.", ("tests/unit/a.py",))


@pytest.mark.parametrize("word", ["Class", "Bug", "Caught by"])
def test_a_patch_that_leaves_something_out_is_refused(tmp_path: Path, word: str) -> None:
    kept = [line for line in GOOD.splitlines() if not line.startswith(word)]
    (tmp_path / "one.patch").write_text("\n".join(kept))
    with pytest.raises(ToolError, match=word):
        mutants.all_of_them(tmp_path)


def test_the_tests_of_a_tier_are_told_apart() -> None:
    assert mutant().of("unit") == ("tests/unit/a.py", "tests/unit/c.py")
    assert mutant().of("apiserver") == ()


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ToolError, match="no mutant nobody"):
        mutants.chosen(["nobody"])


def test_the_summary_counts_what_was_tried_and_names_what_survived() -> None:
    words = {"one": "unit", "two": "store", "three": "survived", "four": "not tried"}
    found = [Verdict(mutant(name), word) for name, word in words.items()]
    lines = mutants.summary(found)
    assert lines[0] == "caught 2 of 3"
    assert lines[1:3] == ["  by unit: 1", "  by store: 1"]
    assert lines[3] == "  survived: three: It counts one too many."
