# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: delivery."""

from datetime import datetime
from uuid import UUID

from coxswain.api.meta import Model


class DeliveryView(Model):
    """A delivery: what is owed to a receiver, and what came of it."""

    id: UUID
    """Its id, which the receiver sees as ``webhook-id``."""
    workspace: str
    """Where its Job is."""
    job: str
    """Name of its Job."""
    job_id: str
    """Id of its Job."""
    type: str
    """What it tells."""
    url: str
    """To whom."""
    state: str
    """Where it is."""
    reason: str | None = None
    """Why it is dead or skipped, in one word."""
    created_at: datetime
    """When it came into being: with the end of its Job."""
    due_at: datetime | None = None
    """When it is tried next, while it is pending; soon after that, if a try is under way."""
    ended_at: datetime | None = None
    """When it was delivered or given up."""
    tries: int
    """How often it was tried in all."""


class DeliveryList(Model):
    """A page of deliveries, newest first."""

    items: list[DeliveryView]
    next: str | None = None
    """Give it as ``cursor`` for the next page; none on the last one."""


class TryView(Model):
    """What came of one try."""

    number: int
    """Counts from 1; one whose gateway died is missing."""
    at: datetime
    """When it began."""
    milliseconds: int
    """How long it took."""
    status: int | None = None
    """What the receiver answered."""
    error: str | None = None
    """Why there is no answer that counts, in one word."""


class DeliveryWithTries(Model):
    """A delivery with the log of its tries."""

    id: UUID
    """Its id, which the receiver sees as ``webhook-id``."""
    workspace: str
    """Where its Job is."""
    job: str
    """Name of its Job."""
    job_id: str
    """Id of its Job."""
    type: str
    """What it tells."""
    url: str
    """To whom."""
    state: str
    """Where it is."""
    reason: str | None = None
    """Why it is dead or skipped, in one word."""
    created_at: datetime
    """When it came into being: with the end of its Job."""
    due_at: datetime | None = None
    """When it is tried next, while it is pending; soon after that, if a try is under way."""
    ended_at: datetime | None = None
    """When it was delivered or given up."""
    tries: int
    """How often it was tried in all."""
    log: list[TryView]
    """Oldest first."""
