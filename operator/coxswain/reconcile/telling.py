"""What the rooms of all kinds tell alike: an operation that keeps failing, and events of an object."""

from datetime import UTC, datetime
from typing import Any

from coxswain.api.agent import AgentStatus
from coxswain.api.conditions import RETRYING_AFTER_ERROR, ConditionType, Seen, with_one
from coxswain.api.event_type import D, EventType
from coxswain.api.event_types.job import Nothing
from coxswain.api.job import JobStatus
from coxswain.api.kind import Metadata
from coxswain.api.lease import LeaseStatus
from coxswain.api.schedule import ScheduleStatus
from coxswain.errors import CoxswainError
from coxswain.reconcile import instants
from coxswain.reconcile.cache import Raw
from coxswain.store import events
from coxswain.store.events import Event

ACTOR = "operator"
Status = AgentStatus | JobStatus | LeaseStatus | ScheduleStatus


def keeps_failing(raw: Raw, status: Status, error: CoxswainError, now: datetime) -> dict[str, Any]:
    """The same status with the operation that keeps failing."""
    seen = Seen(ConditionType.RECONCILING, "True", RETRYING_AFTER_ERROR, error.message)
    generation, at = Metadata.parse(raw).generation, instants.text(now)
    changed = with_one(status.conditions, seen, generation=generation, now=at)
    return status.model_copy(update={"conditions": changed}).to_wire()


def event(
    what: EventType[D], data: D, metadata: Metadata, at: datetime, *, attempt: int = 0
) -> Event:
    """An event of an object, with the id that is derived from object, attempt, type and time."""
    return Event.of(
        what,
        data,
        id=events.derived_id(metadata.uid, attempt, what.name, at),
        actor=ACTOR,
        workspace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        attempt=attempt or None,
    )


def created(what: EventType[Nothing], metadata: Metadata) -> Event:
    """That an object was made."""
    return event(what, Nothing(), metadata, metadata.creation_timestamp)


def deleted(what: EventType[Nothing], metadata: Metadata) -> Event:
    """That an object is no more."""
    return event(what, Nothing(), metadata, metadata.deletion_timestamp or datetime.now(UTC))
