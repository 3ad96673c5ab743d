"""Events of Schedules: what each tick came to."""

from coxswain.api.event_type import EventType
from coxswain.api.event_types.job import Nothing
from coxswain.api.meta import Model
from coxswain.api.ticks import Outcome


class TickEnded(Model):
    """What a tick, or a row of them, came to."""

    tick: str
    """The tick, or the first of a row, RFC 3339."""
    source: str
    """Time, Event, Webhook, Poll, Trigger or Backfill."""
    count: int
    """How many ticks it stands for."""
    reason: str | None = None
    """Why, in one word."""
    job: str | None = None
    """The Job that was made."""


SCHEDULE_CREATED = EventType("schedule.created", "A Schedule was made.", Nothing, about="Schedule")
SCHEDULE_DELETED = EventType(
    "schedule.deleted", "The object of a Schedule is no more.", Nothing, about="Schedule"
)
SCHEDULE_FIRED = EventType(
    "schedule.fired", "A tick has made its Job.", TickEnded, about="Schedule"
)
SCHEDULE_SKIPPED = EventType(
    "schedule.skipped", "A tick was left out on purpose.", TickEnded, about="Schedule"
)
SCHEDULE_MISSED = EventType(
    "schedule.missed", "A tick has made no Job.", TickEnded, about="Schedule"
)

ENDED: dict[Outcome, EventType[TickEnded]] = {
    "Fired": SCHEDULE_FIRED,
    "Skipped": SCHEDULE_SKIPPED,
    "Missed": SCHEDULE_MISSED,
}
TYPES = (SCHEDULE_CREATED, SCHEDULE_DELETED, *ENDED.values())
