# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: schedule."""

from datetime import datetime
from typing import Any

from pydantic import Field

from coxswain.api.meta import Model


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


class RequestView(Model):
    """What was asked."""

    id: str
    """Its id."""
    accepted: bool
    """False: this id was there already; nothing is asked for a second time."""
