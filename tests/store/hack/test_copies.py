"""Seeded bugs in a copy of a tree, with real patches and real tests."""

from pathlib import Path

import pytest
from typing_extensions import override

from devtools.errors import ToolError
from devtools.mutants import Mutant
from devtools.trial import RED, TOO_LONG, WELL, Copy
from tests.support.seeded import mutant

TESTED = "tests/unit/test_one.py"
CODE = "def more(number):\n    return number + 1\n"
TEST = "from code_of_one import more\n\n\ndef test_it_counts():\n    assert more(1) == 2\n"
HANGS = """import os, pathlib, threading

def test_it_ends():
    pathlib.Path("pid").write_text(str(os.getpid()))
    threading.Event().wait()
"""
CHANGE = """Class: off by one
Bug: It counts too far.
Caught by: tests/unit/test_one.py

--- a/hack/code_of_one.py
+++ b/hack/code_of_one.py
@@ -1,2 +1,2 @@
 def more(number):
-    return number + 1
+    return number + 2
"""


class Written(Mutant):
    """A bug whose patch is in a folder of the test."""

    @property
    @override
    def patch(self) -> Path:
        return Path(self.digest)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a module and its test; modules of ``hack`` are found there, as in the real one."""
    for name, text in (("hack/code_of_one.py", CODE), (TESTED, TEST), ("one.patch", CHANGE)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def bug(tree: Path) -> Mutant:
    known = mutant(tests=(TESTED,), digest=str(tree / "one.patch"))
    return Written(known.name, known.kind, known.bug, known.tests, known.digest)


def test_a_bug_is_in_for_a_block_and_its_test_fails_as_long(tree: Path) -> None:
    copy = Copy(tree, seconds=60)
    assert copy.run([TESTED]) == WELL
    with copy.bug(bug(tree)):
        assert copy.run([TESTED]) == RED
    assert copy.run([TESTED]) == WELL
    assert (tree / "hack" / "code_of_one.py").read_text() == CODE


def test_a_bug_that_does_not_fit_is_named(tree: Path) -> None:
    (tree / "hack" / "code_of_one.py").write_text("")
    with pytest.raises(ToolError, match="one does not apply"), Copy(tree, 60).bug(bug(tree)):
        pass


def test_a_test_that_does_not_end_is_ended(tree: Path) -> None:
    (tree / TESTED).write_text(HANGS)
    assert Copy(tree, seconds=10).run([TESTED]) == TOO_LONG
    assert not Path("/proc", (tree / "pid").read_text()).exists()


def test_what_cannot_be_run_is_neither_well_nor_red(tree: Path) -> None:
    assert Copy(tree, 60).run(["tests/unit/test_nobody.py"]) not in (WELL, RED, TOO_LONG)
