"""What to do about a Lease. Pure."""

from datetime import datetime, timedelta

from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease, NewLease
from coxswain.reconcile import actions
from coxswain.reconcile.decision import Decision, Note
from coxswain.rules import leasing
from coxswain_controllers.lease import status
from coxswain_controllers.lease.snapshot import Former, LeaseSnapshot

LOOK_AGAIN = timedelta(seconds=5)
LOOK_AT_POD = timedelta(seconds=1)
LOOK_AT_POD_AT_LAST = timedelta(seconds=30)
TAKEN_AGAIN = timedelta(seconds=30)


def decide(snapshot: LeaseSnapshot, now: datetime) -> Decision:
    """Have the records stand for it, hand on what is surely free, and show who holds it."""
    if snapshot.spec is None:
        return Decision(status=status.invalid(snapshot, now), notes=_notes(snapshot, "Invalid"))
    if snapshot.records.status != "True":
        return Decision(status=status.unknown(snapshot, now), wake_at=now + LOOK_AGAIN)
    if snapshot.taken_by is not None:
        found = status.resource_taken(snapshot, now)
        notes = _notes(snapshot, "ResourceTaken")
        return Decision(status=found, notes=notes, wake_at=now + TAKEN_AGAIN)
    row = snapshot.row
    if row is None or needs_defining(snapshot, row):
        return Decision(actions=(actions.DefineLease(_new(snapshot)),), wake_at=now)
    if row.state is LeaseState.QUARANTINED:
        return _quarantined(snapshot, row, now)
    if row.is_over:
        # Noted within a second, and told then.
        return Decision(wake_at=now + LOOK_AT_POD)
    return Decision(status=status.of(snapshot, row, now))


def needs_defining(snapshot: LeaseSnapshot, row: Lease) -> bool:
    """Whether the row is not yet as the object says, or its declared holder is next."""
    spec, shown = snapshot.spec, snapshot.status
    if spec is None:
        return False
    wanted = (
        snapshot.key.uid,
        spec.resource,
        spec.ttl_seconds,
        spec.steal_after_seconds,
        spec.quarantine_seconds,
        spec.holder,
    )
    standing = (
        row.uid,
        row.resource,
        row.ttl_seconds,
        row.steal_after_seconds,
        row.quarantine_seconds,
        row.declared,
    )
    if row.is_removed or not row.is_confirmed or wanted != standing or shown.token > row.token:
        return True
    return leasing.is_for_declared(row)


def _quarantined(snapshot: LeaseSnapshot, row: Lease, now: datetime) -> Decision:
    """Its holder's pod is looked at until it is gone; a person may decide before that."""
    reason = _surely_over(snapshot, row)
    if reason is not None:
        place = (row.workspace, row.name)
        return Decision(actions=(actions.ReclaimLease(place, row.token, reason),), wake_at=now)
    found = status.quarantined(snapshot, row, now)
    is_run = row.holder is not None and row.holder.job_uid is not None
    wake_at = now + _until_next_look(row) if is_run else None
    return Decision(status=found, notes=_notes(snapshot, row.reason), wake_at=wake_at)


def _until_next_look(row: Lease) -> timedelta:
    """Each look asks the API server: a tenth of the time that it is Quarantined, within bounds."""
    age = row.read_at - row.changed_at
    return min(LOOK_AT_POD_AT_LAST, max(LOOK_AT_POD, age / 10))


def _surely_over(snapshot: LeaseSnapshot, row: Lease) -> str | None:
    """Why the former holder acts no more; None where nobody knows that.

    A run that took the lease by itself and did not renew it has lost it as anybody would, as long as
    its node answers: it finds out with its next renewal.
    """
    if snapshot.former is Former.GONE:
        return "PodGone"
    by_itself = row.reason == leasing.SILENT and not row.with_run
    return "Expired" if by_itself and snapshot.former is Former.RUNNING else None


def _new(snapshot: LeaseSnapshot) -> NewLease:
    """The Lease as the records are to know it, with what its status remembers."""
    if snapshot.spec is None:
        raise AssertionError("only a spec that fits is defined")
    shown, key = snapshot.status, snapshot.key
    is_held = shown.state in (LeaseState.HELD, LeaseState.QUARANTINED)
    last_holder = shown.holder if is_held else None
    return NewLease(key.namespace, key.name, key.uid, snapshot.spec, shown.token, last_holder)


def _notes(snapshot: LeaseSnapshot, reason: str) -> tuple[Note, ...]:
    """Tell people once what needs them."""
    shown = {each.type: each.reason for each in snapshot.status.conditions}
    if shown.get("Ready") == reason:
        return ()
    return (Note("Warning", reason, status.message(snapshot)),)
