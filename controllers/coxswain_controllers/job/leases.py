"""A Job that needs leases: the condition LeaseHeld, and its place in line. Pure.

An attempt is given all of them with its run row, in one transaction, or none. While one is in the
way the Job stands in that one's line and holds nothing, so no two Jobs wait for each other.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.lease import RUN_TTL_SECONDS
from coxswain.api.records import LeaseHolder, RunKey
from coxswain.reconcile import actions
from coxswain.reconcile.decision import Decision
from coxswain.rules import leasing
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job.snapshot import JobSnapshot

KIND = ConditionType.LEASE_HELD
LOOK_AGAIN = timedelta(seconds=5)
STAND_AGAIN = timedelta(seconds=25)
"""A ticket lapses after a minute."""
REASONS = {
    leasing.UNKNOWN: "LeaseMissing",
    leasing.UNCONFIRMED: "LeaseUnconfirmed",
    leasing.HELD: "HeldByAnother",
    leasing.QUARANTINED: "LeaseQuarantined",
    leasing.AWAITED: "InLine",
}


class InTheWay(NamedTuple):
    """Why one of its leases is not to be had, and whether one can stand in line for it."""

    name: str
    reason: str
    message: str
    is_waitable: bool


def are_to_be_had(snapshot: JobSnapshot, _platform: Platform, _now: datetime) -> Seen | None:
    """The gate; None where the Job needs no lease."""
    if not snapshot.leases:
        return None
    first = next(in_the_way(snapshot), None)
    if first is None:
        return Seen(KIND, "True", "Available")
    return Seen(KIND, "False", first.reason, first.message)


def in_the_way(snapshot: JobSnapshot) -> Iterator[InTheWay]:
    """What keeps the Job from its leases, in the order in which it takes them."""
    holder = _holder(snapshot)
    for wanted in snapshot.leases:
        lease = wanted.lease
        if lease is not None and leasing.is_own(lease, holder):
            continue
        why = leasing.refusal(lease, holder, name=wanted.name)
        if why is not None:
            text = why.message
            if why.code == leasing.UNKNOWN:
                text = f"there is no leases.coxswain.dev {wanted.name} in {snapshot.key.namespace};"
                text += " make it"
            is_waitable = why.code in leasing.WAITABLE
            yield InTheWay(wanted.name, REASONS.get(why.code, "Waiting"), text, is_waitable)
        elif lease is not None and lease.ttl_seconds < RUN_TTL_SECONDS:
            text = (
                f"Lease '{wanted.name}' ends {lease.ttl_seconds} s after a renewal; a run says that"
                f" it lives every 10 s: make its spec.ttlSeconds {RUN_TTL_SECONDS} or more"
            )
            yield InTheWay(wanted.name, "TimeTooShort", text, is_waitable=False)


def in_line(snapshot: JobSnapshot, decision: Decision, now: datetime) -> Decision:
    """Wait in the line of the first that is in the way, and refresh the ticket in time."""
    first = next(in_the_way(snapshot), None)
    if first is None or not first.is_waitable:
        return replace(decision, wake_at=_sooner(decision.wake_at, now + LOOK_AGAIN))
    ticket = actions.StandInLine(snapshot.key.namespace, first.name, _holder(snapshot))
    wake_at = _sooner(decision.wake_at, now + STAND_AGAIN)
    return replace(decision, actions=(*decision.actions, ticket), wake_at=wake_at)


def applied(snapshot: JobSnapshot, decision: Decision) -> Decision:
    """The decision, with no place in a line and no lease kept that it does not need."""
    return _given_back(snapshot, _out_of_line(snapshot, decision))


def _out_of_line(snapshot: JobSnapshot, decision: Decision) -> Decision:
    """Out of the line where it does not wait for a lease any more."""
    stands = any(each.is_in_line for each in snapshot.leases)
    kept = any(
        isinstance(each, actions.StandInLine | actions.CreatePod) for each in decision.actions
    )
    if not stands or kept:
        return decision
    left = actions.LeaveLines(snapshot.key.namespace, _holder(snapshot))
    return replace(decision, actions=(*decision.actions, left))


def _given_back(snapshot: JobSnapshot, decision: Decision) -> Decision:
    """Free what an attempt was given whose pod was not made, while the Job waits for something else.

    A quota may have refused the pod, or the operator died before it was made.
    """
    run, holder = snapshot.run, _holder(snapshot)
    is_open = run is not None and not run.claimed and run.closed_reason is None
    holds = any(
        each.lease is not None and leasing.is_own(each.lease, holder) for each in snapshot.leases
    )
    settled = any(
        isinstance(each, actions.CreatePod | actions.CloseRun) for each in decision.actions
    )
    if snapshot.pod is not None or not is_open or not holds or settled:
        return decision
    freed = actions.FreeLeases(snapshot.key.uid, snapshot.number)
    return replace(decision, actions=(*decision.actions, freed))


def _holder(snapshot: JobSnapshot) -> LeaseHolder:
    return LeaseHolder.of_run(RunKey(snapshot.key.uid, snapshot.number), snapshot.key.name)


def _sooner(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)
