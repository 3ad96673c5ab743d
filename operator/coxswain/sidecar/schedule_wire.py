"""What people and this API say to each other about Schedules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from coxswain.api.meta import Model, Text
from coxswain.api.schedule import Overlap, ScheduleSpec
from coxswain.api.ticks import Tick
from coxswain.sidecar import cursors
from coxswain.sidecar.wire import Moment, NewMetadata
from coxswain.store.ticks import Place


class NewSchedule(Model):
    """A Schedule as ``kubectl apply`` would take it; apiVersion and kind may be left out."""

    api_version: Literal["coxswain.dev/v1alpha1"] = "coxswain.dev/v1alpha1"
    kind: Literal["Schedule"] = "Schedule"
    metadata: NewMetadata
    spec: ScheduleSpec


class TickQuery(Model):
    """Which ticks."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    """Rows on a page."""
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None
    """``next`` of the page before."""


class TriggerRequest(Model):
    """A Job now."""

    id: UUID | None = None
    """Makes a repeat harmless; none is a new request each time."""
    reason: Text | None = None
    """For people."""
    overlap: Overlap | None = None
    """What becomes of it while a Job of the Schedule runs; none takes the Schedule's."""


class BackfillRequest(TriggerRequest):
    """The Jobs of a past range of ticks. Without ``overlap`` one after the other."""

    since: Moment
    """The first instant of the range."""
    until: Moment
    """The last one; it is past."""


class RequestView(Model):
    """What was asked."""

    id: str
    """Its id."""
    accepted: bool
    """False: this id was there already; nothing is asked for a second time."""


class TickView(Model):
    """What came of a tick, or of many in a row."""

    id: str
    """Unique in its Schedule."""
    source: str
    """Time, Event, Webhook, Poll, Trigger or Backfill."""
    at: datetime
    """The tick, or the first of a row."""
    through: datetime
    """The last of a row."""
    count: int
    """How many ticks it stands for."""
    due_at: datetime
    """When it came due, by its jitter."""
    outcome: str | None = None
    """Fired, Skipped or Missed; none while it waits."""
    reason: str | None = None
    """Why it made no Job, or waits."""
    job: str | None = None
    """The name of its Job."""
    job_id: str | None = None
    """The uid of its Job."""
    job_phase: str | None = None
    """How the Job ended; none while it runs."""
    reply: str | None = None
    """Of a heartbeat: Swallowed, or Kept to be delivered."""
    cause: dict[str, Any] = Field(default_factory=dict)
    """The event, the delivery, or who asked and why."""
    settled_at: datetime | None = None
    """When it got its outcome."""


class TickPage(Model):
    """A page of ticks, newest first."""

    items: list[TickView]
    next: str | None = None
    """Give it as ``cursor`` for the next page; none on the last one."""


def page(rows: Sequence[Tick], *, more: bool) -> TickPage:
    """Rows of the records as people read them."""
    return TickPage(
        items=[_view(row) for row in rows],
        next=cursors.write(rows[-1].at, rows[-1].id) if more else None,
    )


def read_place(text: str | None) -> Place | None:
    """The place that a page ended at. Raises UserError malformed."""
    if text is None:
        return None
    at, id_ = cursors.read(text, cursors.instant, cursors.word)
    return Place(at, id_)


def _view(row: Tick) -> TickView:
    return TickView(
        id=row.id,
        source=row.source,
        at=row.at,
        through=row.through,
        count=row.count,
        due_at=row.due_at,
        outcome=row.outcome,
        reason=row.reason or None,
        job=row.job_name,
        job_id=row.job_uid,
        job_phase=row.job_phase,
        reply=row.reply,
        cause={name: value for name, value in row.cause.items() if name != "lineage"},
        settled_at=row.settled_at,
    )
