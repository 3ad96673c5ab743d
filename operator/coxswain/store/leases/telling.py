"""What follows a change of leases, in the same transaction: who is woken, and the events."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from coxswain.api.lease import LeaseState
from coxswain.api.records import Event, Lease
from coxswain.store import events, wakes
from coxswain.store.leases import lines
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

OPERATOR = "operator"


class What(StrEnum):
    """The events of a lease."""

    ACQUIRED = "lease.acquired"
    RELEASED = "lease.released"
    RECLAIMED = "lease.reclaimed"
    QUARANTINED = "lease.quarantined"
    RECOVERED = "lease.recovered"


class Change(NamedTuple):
    """A lease as it is now, and what happened to it. Several of one lease stand in their order."""

    what: What
    lease: Lease
    actor: str
    details: dict[str, Any]
    job: str | None = None
    """The Job whose run has lost it."""


def taken(lease: Lease, actor: str) -> Change:
    """It was given out."""
    holder = lease.holder.text if lease.holder is not None else None
    return Change(What.ACQUIRED, lease, actor, {"holder": holder})


def let_go(lease: Lease, actor: str) -> Change:
    """Its holder let go of it."""
    return Change(What.RELEASED, lease, actor, {"formerHolder": lease.former_holder})


def reclaimed(lease: Lease, actor: str, reason: str, former: Lease | None = None) -> Change:
    """It was taken from a holder; ``former`` is the lease as it was before."""
    if former is None:
        details: dict[str, Any] = {"formerHolder": lease.former_holder, "reason": reason}
        return Change(What.RECLAIMED, lease, actor, details)
    holder = former.holder
    details = {"formerHolder": holder.text if holder is not None else None, "reason": reason}
    job = holder.job_name if holder is not None else None
    return Change(What.RECLAIMED, lease, actor, {**details, "token": former.token}, job)


def quarantined(lease: Lease, actor: str) -> Change:
    """Nobody knows whether its holder still acts."""
    holder = lease.holder.text if lease.holder is not None else None
    return Change(What.QUARANTINED, lease, actor, {"holder": holder, "reason": lease.reason})


def recovered(lease: Lease, actor: str) -> Change:
    """Its holder, who was in doubt, has said that it lives; the token is the same."""
    holder = lease.holder.text if lease.holder is not None else None
    return Change(What.RECOVERED, lease, actor, {"holder": holder})


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
        metrics.LEASE_CHANGES.labels(each.what.removeprefix("lease.")).inc()


def _event(change: Change) -> Event:
    lease = change.lease
    details = {"token": lease.token, "resource": lease.resource, **change.details}
    return Event(
        id=events.derived_id(lease.uid, details["token"], change.what, lease.changed_at),
        type=change.what,
        actor=change.actor,
        workspace=lease.workspace,
        kind="Lease",
        name=lease.name,
        uid=lease.uid,
        details={key: value for key, value in details.items() if value is not None},
    )
