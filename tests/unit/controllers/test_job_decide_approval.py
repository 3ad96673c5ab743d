"""A Job that starts only with people's agreement."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.records import Given
from coxswain.reconcile import actions
from coxswain.rules import caps
from coxswain.rules.caps import Full
from coxswain_controllers.job import aside, turn
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import ApprovalSeen, JobSnapshot
from tests.support import builders, snapshots
from tests.support.snapshots import CREATED, NO_RECORDS, NOW, PLATFORM, at

HASH = "a" * 64
UNTIL = CREATED + timedelta(seconds=600)
JOB = builders.job().with_spec(
    approval={"approvers": ["ada", "bob"], "required": 2, "timeoutSeconds": 600}
)


def _word(who: str, *, approved: bool = True, shown: str = HASH) -> Given:
    return Given(who, shown, approved, "no need", NOW)


def _asks(*words: Given, requester: str | None = "eve", **seen: Any) -> JobSnapshot:
    return snapshots.waiting(JOB, approval=ApprovalSeen(requester, HASH, words), **seen)


def _shown(snapshot: JobSnapshot) -> tuple[str, str]:
    found = find(snapshot.status.conditions, ConditionType.APPROVED)
    assert found is not None
    return found.status, found.reason


def test_it_waits_without_a_pod_says_so_once_and_lets_others_go_first() -> None:
    seen = _asks(_word("ada"))
    decision = decide(seen, PLATFORM, NOW)
    known = snapshots.follow(seen, decision)
    assert (decision.actions, decision.wake_at) == ((), UNTIL)
    assert _shown(known) == ("False", "ApprovalPending")
    assert aside.stands_aside(seen)
    again = decide(known, PLATFORM, at(60))
    assert (again.status, again.wake_at) == (None, UNTIL)


def test_with_enough_agreement_it_starts_and_the_condition_says_so() -> None:
    seen = _asks(_word("ada"), _word("bob"))
    assert not aside.stands_aside(seen)
    assert isinstance(decide(seen, PLATFORM, NOW).actions[0], actions.OpenRun)
    starts = replace(snapshots.starting(JOB, running_since=NOW), approval=seen.approval)
    known = snapshots.follow(starts, decide(starts, PLATFORM, at(1)))
    assert (known.status.phase, _shown(known)) == ("Running", ("True", "Approved"))


@pytest.mark.parametrize(
    ("seen", "second", "reason"),
    [
        (_asks(_word("ada", approved=False)), 0, "ApprovalDenied"),
        (_asks(_word("ada")), 600, "ApprovalTimeout"),
        (
            _asks(_word("ada"), _word("bob", shown="b" * 64)),
            600,
            "ApprovalTimeout",
        ),
    ],
    ids=["denied", "too late", "to something else"],
)
def test_without_it_the_job_fails_before_it_starts(
    seen: JobSnapshot, second: int, reason: str
) -> None:
    decision = decide(seen, PLATFORM, CREATED + timedelta(seconds=max(second, 60)))
    known = snapshots.follow(seen, decision)
    assert decision.actions == ()
    assert (known.status.phase, known.status.transitions[-1].reason) == ("Failed", reason)
    assert _shown(known) == ("False", reason)


def test_who_asks_does_not_count_where_the_job_says_so() -> None:
    rule = {"approvers": ["ada", "eve"], "required": 2, "excludeRequester": True}
    job = builders.job().with_spec(approval=rule)
    for requester in ("eve", None):
        seen = snapshots.waiting(job, approval=ApprovalSeen(requester, HASH, ()))
        known = snapshots.follow(seen, decide(seen, PLATFORM, NOW))
        assert known.status.transitions[-1].reason == "ApprovalImpossible"


def test_while_the_records_are_away_nobody_is_too_late_and_nothing_spins() -> None:
    seen = _asks(records=NO_RECORDS)
    late = UNTIL + timedelta(seconds=60)
    decision = decide(seen, PLATFORM, late)
    assert snapshots.follow(seen, decision).status.phase == "Queued"
    assert decision.wake_at is not None
    assert decision.wake_at > late


def test_a_full_agent_comes_first_in_the_order_and_the_time_runs_all_the_same() -> None:
    seen = _asks(full=(Full(caps.INSTALLATION, 9),))
    decision = decide(seen, PLATFORM, NOW)
    assert find(snapshots.follow(seen, decision).status.conditions, ConditionType.QUOTA_RESERVED)
    assert decision.wake_at == UNTIL


def test_room_in_a_quota_calls_those_who_could_use_it_and_not_one_that_waits_for_people() -> None:
    full = (Full(caps.INSTALLATION, 9),)
    for seen, is_called in ((_asks(full=full), False), (snapshots.waiting(full=full), True)):
        decision = decide(seen, PLATFORM, NOW)
        assert (turn.parking(seen, decision, PLATFORM, NOW) is not None) is is_called


def test_it_holds_for_later_attempts_too() -> None:
    job = JOB.with_attempts(2)
    over = snapshots.ended(job, approval=None)
    waits = snapshots.follow(over, decide(over, PLATFORM, at(21)), pod=None, run=None)
    assert isinstance(decide(waits, PLATFORM, at(3000)).actions[0], actions.OpenRun)


def test_a_job_that_waits_for_people_can_be_cancelled() -> None:
    cancelled = snapshots.waiting(JOB.cancelled())
    seen = replace(_asks(), spec=cancelled.spec)
    assert snapshots.follow(seen, decide(seen, PLATFORM, NOW)).status.phase == "Cancelled"
