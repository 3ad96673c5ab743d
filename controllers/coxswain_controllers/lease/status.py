"""The status of a Lease: written when its state, holder or token changes, never for a renewal."""

from datetime import datetime
from typing import Any

from coxswain.api.conditions import ConditionType, Seen, merge
from coxswain.api.records import Lease
from coxswain.errors import UserError
from coxswain.reconcile import instants
from coxswain_controllers.lease.snapshot import Former, LeaseSnapshot

WHY = {
    "HolderSilent": "it was not renewed in time",
    "HolderEnding": "its run is over",
    "RecordsRestored": "the records were restored from before it was handed over",
}
POD = {
    Former.GONE: "its pod is gone",
    Former.RUNNING: "its pod still runs",
    Former.OUT_OF_REACH: "its pod is out of reach: its node does not answer, or the pod does not end",
    Former.UNKNOWN: "nobody knows whether it still acts",
}


def of(snapshot: LeaseSnapshot, row: Lease, now: datetime) -> dict[str, Any]:
    """Free, Held or Expired; equal to the old one where only renewals happened."""
    seen = (
        Seen(ConditionType.READY, "True", row.shown_state),
        Seen(ConditionType.RECONCILING, "False", row.shown_state),
        Seen(ConditionType.STALLED, "False", row.shown_state),
    )
    return _wire(snapshot, seen, now, _fields(snapshot, row))


def quarantined(snapshot: LeaseSnapshot, row: Lease, now: datetime) -> dict[str, Any]:
    """Nobody gets it until a rule or a person decides."""
    seen = (
        Seen(ConditionType.READY, "False", row.reason, message(snapshot)),
        Seen(ConditionType.RECONCILING, "True", "Quarantined", message(snapshot)),
        Seen(ConditionType.STALLED, "False", "Quarantined"),
    )
    return _wire(snapshot, seen, now, _fields(snapshot, row))


def invalid(snapshot: LeaseSnapshot, now: datetime) -> dict[str, Any]:
    """A stored spec that this version cannot read."""
    return _wire(snapshot, _stalled("Invalid", message(snapshot)), now, {})


def resource_taken(snapshot: LeaseSnapshot, now: datetime) -> dict[str, Any]:
    """Another Lease stands for its resource."""
    return _wire(snapshot, _stalled("ResourceTaken", message(snapshot)), now, {})


def unknown(snapshot: LeaseSnapshot, now: datetime) -> dict[str, Any]:
    """The records do not answer: what was shown stays, and says of when it is."""
    text = snapshot.records.message
    seen = (
        snapshot.records,
        Seen(ConditionType.READY, "Unknown", "RecordsUnavailable", text),
        Seen(ConditionType.RECONCILING, "True", "RecordsUnavailable", text),
        Seen(ConditionType.STALLED, "False", "RecordsUnavailable"),
    )
    return _wire(snapshot, seen, now, {})


def message(snapshot: LeaseSnapshot) -> str:
    """What is wrong, and what to do."""
    if isinstance(snapshot.lease, UserError):
        return snapshot.lease.message
    if snapshot.taken_by is not None:
        return (
            f"spec.resource: Lease {snapshot.taken_by} stands for it already; delete one of the two"
        )
    row = snapshot.row
    if row is None or row.holder is None:
        return ""
    why = WHY.get(row.reason, row.reason)
    return (
        f"{row.holder.text} held it and {why}; {POD[snapshot.former]}. It is handed on once that pod"
        " is gone, by spec.quarantineSeconds, or when a person says so: POST .../reclaim with token"
        f" {row.token}"
    )


def _stalled(reason: str, text: str) -> tuple[Seen, ...]:
    return (
        Seen(ConditionType.READY, "False", reason, text),
        Seen(ConditionType.RECONCILING, "False", reason),
        Seen(ConditionType.STALLED, "True", reason, text),
    )


def _fields(snapshot: LeaseSnapshot, row: Lease) -> dict[str, Any]:
    """What is shown of the row. An end that only a renewal has moved is no change."""
    shown = snapshot.status
    holder = row.holder.text if row.holder is not None else None
    is_same = (shown.state, shown.holder, shown.token) == (row.shown_state, holder, row.token)
    if is_same and (shown.waiters > 0) == (row.waiters > 0):
        return {}
    return {
        "state": row.shown_state,
        "holder": holder,
        "token": row.token,
        "acquired_at": _text(row.acquired_at if holder is not None else None),
        "expires_at": _text(row.expires_at),
        "waiters": row.waiters,
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else instants.text(at)


def _wire(
    snapshot: LeaseSnapshot, seen: tuple[Seen, ...], now: datetime, fields: dict[str, Any]
) -> dict[str, Any]:
    generation = snapshot.metadata.generation
    conditions = merge(
        snapshot.status.conditions, seen, generation=generation, now=instants.text(now)
    )
    update = {**fields, "observed_generation": generation, "conditions": conditions}
    return snapshot.status.model_copy(update=update).to_wire()
