"""What the operator does about a Lease, as tables of what a pass saw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, Seen, find
from coxswain.api.lease import LeaseState, LeaseStatus
from coxswain.api.records import Lease, LeaseHolder, RunKey
from coxswain.errors import UserError
from coxswain.reconcile import actions, key
from coxswain_controllers.lease.decide import decide
from coxswain_controllers.lease.snapshot import Former, LeaseSnapshot
from tests.support import builders, kstatus

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
RAW = builders.lease().raw
ANN = LeaseHolder.of_user("ann", None)
RUN = LeaseHolder.of_run(RunKey(builders.uid_of("Job", "read"), 2), "read")
RECORDS = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")


def row(**changed: Any) -> Lease:
    """The row of a free lease, as the object says."""
    known = Lease(
        workspace="team",
        name="deploy",
        uid=RAW["metadata"]["uid"],
        is_removed=False,
        resource="git:deploy",
        ttl_seconds=30,
        steal_after_seconds=None,
        quarantine_seconds=None,
        declared=None,
        is_confirmed=True,
        token=0,
        state=LeaseState.FREE,
        reason="",
        holder=None,
        with_run=False,
        former_holder=None,
        acquired_at=None,
        renewed_at=None,
        expires_at=None,
        changed_at=NOW,
        read_at=NOW,
    )
    return replace(known, **changed)


def held(**changed: Any) -> Lease:
    """Held for another 20 seconds."""
    until = NOW + timedelta(seconds=20)
    known = row(state=LeaseState.HELD, holder=ANN, token=3, acquired_at=NOW, expires_at=until)
    return replace(known, **changed)


def quarantined(**changed: Any) -> Lease:
    """Its run was not heard of in time."""
    known = row(state=LeaseState.QUARANTINED, reason="HolderSilent", holder=RUN, token=3)
    return replace(known, **changed)


def seen(found: Lease | None, **changed: Any) -> LeaseSnapshot:
    """A pass that saw this row."""
    lease = builders.lease().parsed
    known = LeaseSnapshot(
        key=key.of("Lease", RAW),
        metadata=lease.metadata,
        lease=lease,
        status=lease.status,
        records=RECORDS,
        row=found,
    )
    return replace(known, **changed)


def shown(snapshot: LeaseSnapshot) -> LeaseStatus:
    """The status that the pass would write."""
    found = decide(snapshot, NOW).status
    assert found is not None
    return LeaseStatus.model_validate(found)


def ready(snapshot: LeaseSnapshot) -> tuple[str, str]:
    found = find(shown(snapshot).conditions, ConditionType.READY)
    assert found is not None
    return found.status, found.reason


@pytest.mark.parametrize(
    "found",
    [
        None,
        row(uid="another"),
        row(is_removed=True),
        row(is_confirmed=False),
        row(ttl_seconds=60),
        row(declared="freeze"),
        row(quarantine_seconds=9),
        row(steal_after_seconds=9),
    ],
    ids=["none", "another", "removed", "unconfirmed", "ttl", "declared", "quarantine", "steal"],
)
def test_a_row_that_is_not_as_the_object_says_is_defined_and_looked_at_again(
    found: Lease | None,
) -> None:
    decision = decide(seen(found), NOW)
    (action,) = decision.actions
    assert isinstance(action, actions.DefineLease)
    assert (decision.status, decision.wake_at) == (None, NOW)


def test_a_status_with_a_larger_token_than_the_records_is_put_before_them() -> None:
    status = LeaseStatus(state=LeaseState.HELD, holder="user:bob", token=9)
    (action,) = decide(seen(held(), status=status), NOW).actions
    assert isinstance(action, actions.DefineLease)
    assert (action.lease.last_token, action.lease.last_holder) == (9, "user:bob")


def test_the_status_of_a_free_lease_remembers_no_holder_for_the_records() -> None:
    status = LeaseStatus(state=LeaseState.EXPIRED, holder=None, token=9)
    (action,) = decide(seen(row(), status=status), NOW).actions
    assert isinstance(action, actions.DefineLease)
    assert (action.lease.last_token, action.lease.last_holder) == (9, None)


def test_who_holds_it_is_shown() -> None:
    found = shown(seen(held(waiters=2)))
    assert (found.state, found.holder, found.token, found.waiters) == ("Held", "user:ann", 3, 2)
    assert found.acquired_at is not None
    assert found.expires_at is not None
    assert ready(seen(held())) == ("True", "Held")


def test_a_renewal_writes_nothing() -> None:
    before = shown(seen(held()))
    later = held(expires_at=NOW + timedelta(seconds=999), renewed_at=NOW)
    assert shown(seen(later, status=before)) == before


@pytest.mark.parametrize(
    "after",
    [held(token=4), held(holder=RUN), row(state=LeaseState.EXPIRED, token=3), held(waiters=1)],
    ids=["token", "holder", "state", "somebody waits"],
)
def test_each_change_is_written_once(after: Lease) -> None:
    before = shown(seen(held()))
    now = shown(seen(after, status=before))
    assert now != before
    assert shown(seen(after, status=now)) == now


def test_a_second_one_in_line_is_no_change() -> None:
    before = shown(seen(held(waiters=1)))
    assert shown(seen(held(waiters=2), status=before)) == before


def test_one_that_is_over_is_shown_once_that_is_noted() -> None:
    over = held(expires_at=NOW - timedelta(seconds=1))
    decision = decide(seen(over), NOW)
    assert (decision.actions, decision.status) == ((), None)
    assert decision.wake_at is not None


def test_a_quarantined_lease_says_why_and_is_looked_at_again() -> None:
    for former in (Former.RUNNING, Former.OUT_OF_REACH):
        snapshot = seen(quarantined(with_run=True), former=former)
        decision = decide(snapshot, NOW)
        assert decision.actions == ()
        assert decision.wake_at == NOW + timedelta(seconds=1)
        assert ready(snapshot) == ("False", "HolderSilent")
        assert shown(snapshot).holder == "job:read/2"
        assert [each.reason for each in decision.notes] == ["HolderSilent"]


@pytest.mark.parametrize(
    ("age", "wait"), [(-1, 1), (0, 1), (10, 1), (20, 2), (299, 29.9), (300, 30), (86400, 30)]
)
def test_the_pod_of_a_quarantined_lease_is_looked_at_less_and_less_often(
    age: float, wait: float
) -> None:
    lease = quarantined(with_run=True, changed_at=NOW, read_at=NOW + timedelta(seconds=age))
    decision = decide(seen(lease, former=Former.OUT_OF_REACH), NOW)
    assert decision.wake_at == NOW + timedelta(seconds=wait)


def test_a_quarantined_lease_is_told_once() -> None:
    snapshot = seen(quarantined(with_run=True), former=Former.RUNNING)
    again = replace(snapshot, status=shown(snapshot))
    assert decide(again, NOW).notes == ()


def test_a_quarantined_lease_is_handed_on_once_the_pod_is_gone() -> None:
    decision = decide(seen(quarantined(with_run=True), former=Former.GONE), NOW)
    assert decision.actions == (actions.ReclaimLease(("team", "deploy"), 3, "PodGone"),)
    assert decision.wake_at == NOW


@pytest.mark.parametrize(
    ("former", "is_handed_on"), [(Former.RUNNING, True), (Former.OUT_OF_REACH, False)]
)
def test_what_a_run_took_by_itself_and_did_not_renew_is_handed_on_while_its_node_answers(
    former: Former, is_handed_on: bool
) -> None:
    decision = decide(seen(quarantined(), former=former), NOW)
    assert bool(decision.actions) == is_handed_on


@pytest.mark.parametrize("reason", ["RecordsRestored", "HolderEnding"])
def test_what_no_pod_can_settle_waits_for_a_rule_or_a_person(reason: str) -> None:
    snapshot = seen(quarantined(holder=ANN, reason=reason))
    decision = decide(snapshot, NOW)
    assert (decision.actions, decision.wake_at) == ((), None)
    assert "POST .../reclaim with token 3" in decision.notes[0].message


def test_a_declared_holder_gets_what_is_free() -> None:
    lease = builders.lease().with_spec(holder="freeze").parsed
    waits = seen(row(declared="freeze"), lease=lease)
    assert isinstance(decide(waits, NOW).actions[0], actions.DefineLease)
    for busy in (held(declared="freeze"), quarantined(declared="freeze")):
        assert decide(seen(busy, lease=lease), NOW).actions == ()
    mine = held(declared="freeze", holder=LeaseHolder.declared("freeze"), expires_at=None)
    assert decide(seen(mine, lease=lease), NOW).actions == ()


@pytest.mark.parametrize(
    ("changed", "is_given_anew"),
    [
        ({}, True),
        ({"reason": "HolderSilent"}, False),
        ({"holder": ANN}, False),
        ({"holder": LeaseHolder.declared("thaw")}, False),
    ],
    ids=["its own", "not by a restore", "of a person", "of another declared one"],
)
def test_a_declared_holder_whom_a_restore_put_in_doubt_is_given_it_anew(
    changed: dict[str, Any], is_given_anew: bool
) -> None:
    lease = builders.lease().with_spec(holder="freeze").parsed
    mine = quarantined(
        declared="freeze", holder=LeaseHolder.declared("freeze"), reason="RecordsRestored"
    )
    decided = decide(seen(replace(mine, **changed), lease=lease), NOW).actions
    assert [type(each) for each in decided] == [actions.DefineLease] * is_given_anew


def test_a_resource_of_another_lease_is_said_and_looked_at_again() -> None:
    snapshot = seen(None, taken_by="other")
    decision = decide(snapshot, NOW)
    assert decision.actions == ()
    assert ready(snapshot) == ("False", "ResourceTaken")
    assert decision.wake_at is not None


def test_a_spec_that_does_not_fit_is_said() -> None:
    snapshot = seen(None, lease=UserError("spec.ttlSeconds: bad"))
    assert decide(snapshot, NOW).actions == ()
    assert ready(snapshot) == ("False", "Invalid")


def test_without_records_what_was_shown_stays() -> None:
    away = Seen(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", "no answer")
    before = shown(seen(held()))
    snapshot = seen(None, records=away, status=before)
    now = shown(snapshot)
    assert (now.holder, now.token) == (before.holder, before.token)
    assert ready(snapshot) == ("Unknown", "RecordsUnavailable")
    assert decide(snapshot, NOW).actions == ()


@pytest.mark.parametrize(
    ("snapshot", "wanted"),
    [
        (seen(held()), "Current"),
        (seen(row()), "Current"),
        (seen(quarantined(), former=Former.OUT_OF_REACH), "InProgress"),
        (seen(None, taken_by="other"), "Failed"),
    ],
    ids=["held", "free", "quarantined", "resource taken"],
)
def test_deploy_tools_read_it(snapshot: LeaseSnapshot, wanted: str) -> None:
    status = decide(snapshot, NOW).status
    assert status is not None
    assert kstatus.read(RAW["metadata"], status) == wanted
