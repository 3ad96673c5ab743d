"""What follows a change of leases, in the same transaction: who is woken, and the events."""

from collections.abc import Sequence
from typing import NamedTuple

from coxswain.api.event_type import EventType
from coxswain.api.event_types.lease import (
    LEASE_ACQUIRED,
    LEASE_QUARANTINED,
    LEASE_RECLAIMED,
    LEASE_RECOVERED,
    LEASE_RELEASED,
    LeaseChange,
)
from coxswain.api.lease import LeaseState
from coxswain.api.records import Event, Lease
from coxswain.store import events, wakes
from coxswain.store.leases import lines
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

OPERATOR = "operator"


class Change(NamedTuple):
    """A lease as it is now, and what happened to it. Several of one lease stand in their order."""

    what: EventType[LeaseChange]
    lease: Lease
    actor: str
    data: LeaseChange
    job: str | None = None
    """The Job whose run has lost it."""


def taken(lease: Lease, actor: str) -> Change:
    """It was given out."""
    return Change(LEASE_ACQUIRED, lease, actor, _of(lease, holder=_holder(lease)))


def let_go(lease: Lease, actor: str, run: str | None = None) -> Change:
    """Its holder let go of it; ``run`` says how it ended, where it was one."""
    data = _of(lease, former_holder=lease.former_holder, run=run)
    return Change(LEASE_RELEASED, lease, actor, data)


def reclaimed(
    lease: Lease, actor: str, reason: str, former: Lease | None = None, why: str | None = None
) -> Change:
    """It was taken from a holder; ``former`` is the lease as it was before, ``why`` a person's words."""
    if former is None:
        data = _of(lease, former_holder=lease.former_holder, reason=reason, message=why)
        return Change(LEASE_RECLAIMED, lease, actor, data)
    data = _of(
        lease,
        token=former.token,
        former_holder=_holder(former),
        reason=reason,
        message=why,
    )
    job = former.holder.job_name if former.holder is not None else None
    return Change(LEASE_RECLAIMED, lease, actor, data, job)


def quarantined(lease: Lease, actor: str) -> Change:
    """Nobody knows whether its holder still acts."""
    data = _of(lease, holder=_holder(lease), reason=lease.reason)
    return Change(LEASE_QUARANTINED, lease, actor, data)


def recovered(lease: Lease, actor: str) -> Change:
    """Its holder, who was in doubt, has said that it lives; the token is the same."""
    return Change(LEASE_RECOVERED, lease, actor, _of(lease, holder=_holder(lease)))


async def tell(connection: Connection, changes: Sequence[Change]) -> None:
    """Wake the Leases, who is next in their lines, and Jobs that have lost one; append events.

    Once and last in a transaction: it locks the head of the log.
    """
    if not changes:
        return
    places = sorted({(each.lease.workspace, each.lease.name) for each in changes})
    free = [
        (each.lease.workspace, each.lease.name)
        for each in changes
        if each.lease.state in (LeaseState.FREE, LeaseState.EXPIRED)
    ]
    called = await lines.call(connection, free) if free else []
    lost = [(each.lease.workspace, each.job) for each in changes if each.job is not None]
    woken = [("Job", *each) for each in (*lost, *called)]
    await wakes.add_all(connection, [*(("Lease", *each) for each in places), *woken])
    await events.append(connection, [_event(each) for each in changes])
    for each in changes:
        metrics.LEASE_CHANGES.labels(each.what.name.removeprefix("lease.")).inc()


def _event(change: Change) -> Event:
    lease, what = change.lease, change.what
    return Event.of(
        what,
        change.data,
        id=events.derived_id(lease.uid, change.data.token, what.name, lease.changed_at),
        actor=change.actor,
        workspace=lease.workspace,
        name=lease.name,
        uid=lease.uid,
    )


def _of(lease: Lease, *, token: int | None = None, **fields: str | None) -> LeaseChange:
    return LeaseChange(
        token=lease.token if token is None else token,
        resource=lease.resource,
        became=lease.state.value,
        **fields,
    )


def _holder(lease: Lease) -> str | None:
    return lease.holder.text if lease.holder is not None else None
