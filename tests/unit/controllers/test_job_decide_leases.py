"""A Job that needs leases: why it waits, its place in line, and what happens when one is lost."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.records import LeaseHolder, RunKey, WantedLease
from coxswain.reconcile import actions
from coxswain.rules import caps
from coxswain.rules.caps import Full
from coxswain.rules.outcome import RunFacts
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, snapshots
from tests.support.snapshots import NOW, PLATFORM, at
from tests.unit.controllers.test_lease_decide import held, quarantined, row

JOB = builders.job().with_spec(leases=["deploy", "stage"])
SELF = LeaseHolder.of_run(RunKey(builders.uid_of("Job", "read"), 1), "read")
FREE = WantedLease("deploy", row())
STAGE = WantedLease("stage", row(name="stage"))
MINE = WantedLease("deploy", held(holder=SELF, with_run=True, expires_at=None))


def wanting(first: WantedLease, second: WantedLease = STAGE, **more: Any) -> JobSnapshot:
    return snapshots.waiting(JOB, leases=(first, second), **more)


def shown(snapshot: JobSnapshot) -> tuple[str, str, str]:
    known = snapshots.follow(snapshot, decide(snapshot, PLATFORM, NOW))
    found = find(known.status.conditions, ConditionType.LEASE_HELD)
    assert found is not None
    return found.status, found.reason, found.message


def sorts(snapshot: JobSnapshot) -> list[type[actions.Action]]:
    return [type(each) for each in decide(snapshot, PLATFORM, NOW).actions]


def test_it_starts_with_the_leases_in_its_run_when_all_are_free() -> None:
    opening = decide(wanting(FREE), PLATFORM, NOW).actions[0]
    assert isinstance(opening, actions.OpenRun)
    assert opening.document.leases == ["deploy", "stage"]


@pytest.mark.parametrize(
    ("lease", "reason", "words"),
    [
        (held(), "HeldByAnother", "held by user:ann until"),
        (held(holder=LeaseHolder.declared("freeze"), expires_at=None), "HeldByAnother", "declared:freeze"),
        (row(declared="freeze"), "HeldByAnother", "kept for declared:freeze"),
        (quarantined(), "LeaseQuarantined", "whether job:read/2 still acts"),
        (row(first_waiter="user:bob"), "InLine", "user:bob is ahead"),
        (row(is_confirmed=False), "LeaseUnconfirmed", "restored"),
        (row(ttl_seconds=29), "TimeTooShort", "ttlSeconds 30 or more"),
        (None, "LeaseMissing", "there is no leases.coxswain.dev deploy in team; make it"),
    ],
)  # fmt: skip
def test_what_is_in_the_way_is_said(lease: Any, reason: str, words: str) -> None:
    status, why, message = shown(wanting(WantedLease("deploy", lease)))
    assert (status, why) == ("False", reason)
    assert words in message


def test_it_waits_in_the_line_of_the_first_that_is_in_the_way_and_refreshes_its_ticket() -> None:
    snapshot = wanting(FREE, WantedLease("stage", held(name="stage")))
    decision = decide(snapshot, PLATFORM, NOW)
    assert decision.actions == (actions.StandInLine("team", "stage", SELF),)
    known = snapshots.follow(snapshot, decision)
    again = decide(known, PLATFORM, at(25))
    assert again.status is None
    assert again.actions == decision.actions
    assert again.wake_at == at(50)


def test_another_holder_is_shown_once() -> None:
    snapshot = wanting(WantedLease("deploy", held()))
    known = snapshots.follow(snapshot, decide(snapshot, PLATFORM, NOW))
    other = held(holder=LeaseHolder.of_user("bob", None), token=4)
    changed = replace(known, leases=(WantedLease("deploy", other), STAGE))
    assert "held by user:bob" in shown(changed)[2]


@pytest.mark.parametrize("lease", [None, row(ttl_seconds=29)], ids=["missing", "too short"])
def test_for_what_no_holder_can_mend_it_stands_in_no_line_and_looks_again(lease: Any) -> None:
    decision = decide(wanting(WantedLease("deploy", lease)), PLATFORM, NOW)
    assert decision.actions == ()
    assert decision.wake_at == NOW + timedelta(seconds=5)


def test_its_own_ticket_is_not_in_its_way() -> None:
    mine = WantedLease("deploy", row(first_waiter=SELF.text), is_in_line=True)
    assert sorts(wanting(mine)) == [actions.OpenRun, actions.CreatePod]


def test_what_its_unclaimed_run_holds_is_not_in_its_way() -> None:
    assert sorts(wanting(MINE, run=RunFacts())) == [actions.OpenRun, actions.CreatePod]


@pytest.mark.parametrize(
    "more",
    [
        {"refusal": "exceeded quota"},
        {"full": (Full(caps.INSTALLATION, 9),)},
        {"agent": None},
        {"spec": JOB.with_spec(suspend=True).parsed.spec},
        {"sandbox": snapshots.condition(ConditionType.SANDBOX_READY, "False", "NotOnboarded")},
    ],
    ids=["quota", "no slot", "no agent", "suspended", "no sandbox"],
)
def test_an_attempt_whose_pod_was_not_made_gives_its_leases_back_while_its_job_waits(
    more: dict[str, Any],
) -> None:
    freed = actions.FreeLeases(builders.uid_of("Job", "read"), 1)
    assert decide(wanting(MINE, run=RunFacts(), **more), PLATFORM, NOW).actions == (freed,)


def test_while_it_waits_in_line_for_one_lease_it_holds_no_other() -> None:
    snapshot = wanting(MINE, WantedLease("stage", held(name="stage")), run=RunFacts())
    assert sorts(snapshot) == [actions.StandInLine, actions.FreeLeases]


@pytest.mark.parametrize(
    "snapshot",
    [
        wanting(MINE, run=None, refusal="full"),
        wanting(MINE, run=RunFacts(claimed=True), refusal="full"),
        wanting(MINE, run=RunFacts(closed_reason="Failed/ExitCode"), refusal="full"),
        wanting(FREE, run=RunFacts(), refusal="full"),
        wanting(WantedLease("deploy", held()), run=RunFacts(), refusal="full"),
        replace(snapshots.starting(JOB), leases=(MINE, STAGE), run=RunFacts()),
    ],
    ids=["no row", "claimed", "closed", "free", "of another", "a pod is there"],
)
def test_nothing_else_is_given_back(snapshot: JobSnapshot) -> None:
    assert actions.FreeLeases not in sorts(snapshot)


@pytest.mark.parametrize(
    "more",
    [{"full": (Full(caps.INSTALLATION, 9),)}, {"agent": None}],
    ids=["no slot", "no agent"],
)
def test_one_that_waits_for_something_else_leaves_the_line(more: dict[str, Any]) -> None:
    stands = WantedLease("deploy", held(), is_in_line=True)
    assert sorts(wanting(stands, **more)) == [actions.LeaveLines]


def running(**more: Any) -> JobSnapshot:
    mine = WantedLease("deploy", held(holder=SELF, with_run=True))
    return snapshots.running(JOB, leases=(mine, STAGE), **more)


def test_a_run_that_has_lost_a_lease_is_stopped_and_tried_again() -> None:
    lost = WantedLease("deploy", held(token=9))
    snapshot = running(lost_leases=(lost,))
    decision = decide(snapshot, PLATFORM, at(1))
    close, end = decision.actions
    assert isinstance(close, actions.CloseRun)
    assert (close.reason, close.is_gone) == ("Lost/LeaseLost", False)
    assert isinstance(end, actions.DeletePod)
    known = snapshots.follow(snapshot, decision)
    entry = known.status.attempts[-1]
    assert (entry.outcome, entry.reason, known.status.attempts_used) == ("Lost", "LeaseLost", 0)
    assert entry.message == "Lease 'deploy' was lost: it is held, token 9, holder user:ann"
    assert known.status.phase == "Queued"


def test_in_the_middle_of_an_act_the_outcome_is_unknown() -> None:
    facts = RunFacts(claimed=True, acts_open=("git push",))
    lost = WantedLease("deploy", None)
    snapshot = running(lost_leases=(lost,), run=facts)
    known = snapshots.follow(snapshot, decide(snapshot, PLATFORM, at(1)))
    assert known.status.attempts[-1].reason == "OutcomeUnknown"
    assert known.status.phase == "Review"


def test_a_run_with_a_result_has_done_its_work() -> None:
    snapshot = running(lost_leases=(FREE,), run=snapshots.posted("succeeded"))
    assert not any(
        isinstance(each, actions.CloseRun) for each in decide(snapshot, PLATFORM, at(1)).actions
    )


def test_a_run_that_holds_its_leases_goes_on() -> None:
    assert decide(running(), PLATFORM, at(1)).actions == ()


def test_one_that_is_in_doubt_is_looked_at_again_soon() -> None:
    decision = decide(running(is_lease_in_doubt=True), PLATFORM, at(1))
    assert (decision.actions, decision.wake_at) == ((), at(6))


@pytest.mark.parametrize("end", [snapshots.WELL, snapshots.BADLY], ids=["well", "badly"])
def test_the_end_of_its_pod_lets_its_leases_go(end: Any) -> None:
    (close, *_) = decide(snapshots.ended(JOB, end), PLATFORM, at(21)).actions
    assert isinstance(close, actions.CloseRun)
    assert close.is_gone
    known = snapshots.ended(JOB, end)
    found = snapshots.follow(known, decide(known, PLATFORM, at(21)))
    held_then = find(found.status.conditions, ConditionType.LEASE_HELD)
    assert held_then is not None
    assert held_then.status == "True"


def test_a_job_without_leases_says_nothing_of_them() -> None:
    known = snapshots.running()
    assert find(known.status.conditions, ConditionType.LEASE_HELD) is None
