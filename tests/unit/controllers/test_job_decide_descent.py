"""Jobs that make each other are stopped at a depth and at a number."""

from dataclasses import replace

import pytest

from coxswain import names
from coxswain.api import lineage
from coxswain.api.conditions import ConditionType, find
from coxswain.reconcile import actions
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import DescentSeen
from tests.support import builders, snapshots
from tests.support.snapshots import NOW, PLATFORM, at


def _from(depth: int, older: int) -> DescentSeen:
    return DescentSeen("first", depth, older, max_depth=8, max_children=3)


@pytest.mark.parametrize(
    ("depth", "older", "reason", "words"),
    [
        (9, 0, "LineageTooDeep", "9 Jobs came from each other, 8 are allowed"),
        (1, 3, "LineageTooWide", "3 other Jobs of first go first, 3 are allowed"),
    ],
)
def test_one_too_many_fails_before_it_starts_and_says_what_to_do(
    depth: int, older: int, reason: str, words: str
) -> None:
    seen = snapshots.waiting(descent=_from(depth, older))
    decision = decide(seen, PLATFORM, NOW)
    found = snapshots.follow(seen, decision).status
    assert decision.actions == ()
    assert (found.phase, found.transitions[-1].reason) == ("Failed", reason)
    accepted = find(found.conditions, ConditionType.ACCEPTED)
    assert accepted is not None
    assert (accepted.status, accepted.reason) == ("False", reason)
    assert words in accepted.message


def test_a_descent_that_nobody_can_read_is_refused_with_its_place() -> None:
    annotations = {names.ANNOTATION_LINEAGE: '{"relation": "Child", "depth": 1000000000}'}
    problem = lineage.problem(annotations)
    assert problem is not None
    assert problem.startswith(f"metadata.annotations[{names.ANNOTATION_LINEAGE}].job: ")
    seen = snapshots.waiting(descent=replace(_from(0, 0), problem=problem))
    found = snapshots.follow(seen, decide(seen, PLATFORM, NOW)).status
    assert (found.phase, found.transitions[-1].reason) == ("Failed", "Invalid")


@pytest.mark.parametrize("descent", [None, _from(8, 2)])
def test_within_the_limits_it_starts(descent: DescentSeen | None) -> None:
    seen = snapshots.waiting(descent=descent)
    assert isinstance(decide(seen, PLATFORM, NOW).actions[0], actions.OpenRun)


def test_what_has_begun_goes_on_when_a_limit_is_lowered() -> None:
    over = snapshots.ended(builders.job().with_attempts(2))
    waits = snapshots.follow(
        over, decide(over, PLATFORM, at(21)), pod=None, run=None, descent=_from(9, 9)
    )
    assert isinstance(decide(waits, PLATFORM, at(3000)).actions[0], actions.OpenRun)
