"""The bugs that we put into our own code: each fits the code of today, and says what it is."""

import subprocess

import pytest

from devtools import mutants
from devtools.mutants import Mutant
from tests.architecture.test_layout import REPOSITORY

AT_LEAST = 60
CLASSES = {
    *("intermediate state", "stale state", "unobserved state", "kopf trap"),
    *("history of Job", "history of CronJob", "history of election", "missing precondition"),
    *("order of writes", "forgotten re-read", "off by one", "edge-triggered"),
    *("status before the act", "epoch unchecked", "sequence as position", "claim not checked"),
    *("token", "boundary"),
}
ALL = mutants.all_of_them()


def test_there_are_enough_of_every_class() -> None:
    assert len(ALL) >= AT_LEAST
    assert {each.kind for each in ALL} == CLASSES


@pytest.mark.parametrize("mutant", ALL, ids=[each.name for each in ALL])
def test_it_applies_and_names_the_tests_that_find_it(mutant: Mutant) -> None:
    assert mutant.bug.endswith(".")
    assert [each for each in mutant.tests if not (REPOSITORY / each).is_file()] == []
    done = subprocess.run(
        ["git", "apply", "--check", mutant.patch],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
