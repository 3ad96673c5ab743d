"""How a seeded bug is tried."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from devtools import trial
from devtools.mutants import TIERS, Mutant
from devtools.trial import RED, TOO_LONG, WELL, Trial
from tests.support.seeded import PLAN, TESTS, mutant

UNIT = ("tests/unit/a.py", "tests/unit/c.py")
STORE = ("tests/store/b.py",)
NOT_RUN = 4


@dataclass
class Paper:
    """A bench on which the first file of a tier says how its tests end, with a bug and without."""

    with_bug: Mapping[str, int]
    without: Mapping[str, int] = field(default_factory=dict)
    is_in: bool = False
    ran: list[tuple[bool, tuple[str, ...]]] = field(default_factory=list)

    def run(self, files: Sequence[str]) -> int:
        self.ran.append((self.is_in, tuple(files)))
        return (self.with_bug if self.is_in else self.without).get(files[0], WELL)

    @contextmanager
    def bug(self, _mutant: Mutant) -> Iterator[None]:
        self.is_in = True
        yield
        self.is_in = False


@pytest.mark.parametrize(
    ("with_bug", "word"),
    [
        ({UNIT[0]: RED, STORE[0]: RED}, "unit"),
        ({STORE[0]: RED, PLAN: RED}, "store"),
        ({PLAN: RED}, "faults"),
        ({}, "survived"),
        ({UNIT[0]: TOO_LONG}, "too long"),
        ({UNIT[0]: TOO_LONG, STORE[0]: RED}, "store"),
        ({UNIT[0]: NOT_RUN, STORE[0]: RED}, "broken"),
    ],
)
def test_the_cheapest_tier_that_fails_has_found_it(with_bug: Mapping[str, int], word: str) -> None:
    assert Trial(Paper(with_bug)).of(mutant()) == word


def test_tiers_above_the_one_that_found_it_are_not_asked() -> None:
    bench = Paper({UNIT[0]: RED})
    Trial(bench).of(mutant())
    assert bench.ran == [(True, UNIT), (False, UNIT)]


def test_tests_that_are_red_anyway_have_found_nothing() -> None:
    bench = Paper({UNIT[0]: RED}, without={UNIT[0]: RED})
    assert Trial(bench).of(mutant()) == "red anyway"


def test_what_is_known_to_be_well_is_not_run_again_without_a_bug() -> None:
    bench = Paper({UNIT[0]: RED})
    tries = Trial(bench)
    tries.of(mutant())
    more = mutant("two", tests=(UNIT[0], "tests/unit/e.py"))
    assert tries.of(more) == "unit"
    assert bench.ran[2:] == [(True, more.tests), (False, ("tests/unit/e.py",))]


def test_only_tiers_that_are_wanted_are_asked_and_then_nothing_has_survived() -> None:
    bench = Paper({PLAN: RED})
    assert Trial(bench, ("unit", "store")).of(mutant()) == "not found"
    assert bench.ran == [(True, UNIT), (True, STORE)]
    assert Trial(bench, ("apiserver",)).of(mutant()) == "not tried"
    assert Trial(bench, TIERS).of(mutant()) == "faults"


def test_plans_are_played_and_tests_are_run() -> None:
    tests, plans = trial.commands(TESTS)
    assert tests[:2] == ("-m", "pytest")
    assert tests[-3:] == ("tests/unit/a.py", "tests/store/b.py", "tests/unit/c.py")
    assert plans == ("-m", "tests.faults", "run", PLAN)
    assert len([*trial.commands(UNIT)]) == len([*trial.commands([PLAN])]) == 1


def test_every_word_that_is_no_verdict_says_why() -> None:
    said = {"too long", "broken", "red anyway", "not found", "not tried"}
    assert set(trial.OPEN) == said
