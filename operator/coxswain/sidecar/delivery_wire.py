"""Deliveries as people read them: never what was sent or answered, and no secret."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from coxswain.api.deliveries import Delivery, DeliveryState, Try
from coxswain.api.meta import Model, Name, Reason
from coxswain.sidecar.wire import WorkspacePath


class DeliveryPath(WorkspacePath):
    """Names a delivery."""

    delivery: UUID
    """Its id, which the receiver sees as ``webhook-id``."""


class RedriveRequest(Model):
    """Why what was given up is tried again."""

    reason: Reason
    """For people."""


class DeliveryQuery(Model):
    """Which deliveries, and from where on."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    """Deliveries on a page."""
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None
    """``next`` of the page before."""
    state: DeliveryState | None = None
    """Only deliveries in this state."""
    job: Name | None = None
    """Only deliveries of Jobs of this name."""


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
    state: DeliveryState
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


class DeliveryWithTries(DeliveryView):
    """A delivery with the log of its tries."""

    log: list[TryView]
    """Oldest first."""


class DeliveryList(Model):
    """A page of deliveries, newest first."""

    items: list[DeliveryView]
    next: str | None = None
    """Give it as ``cursor`` for the next page; none on the last one."""


def view(found: Delivery) -> DeliveryView:
    """A delivery of the outbox."""
    return DeliveryView(
        id=found.id,
        workspace=found.workspace,
        job=found.job_name,
        job_id=found.job_uid,
        type=found.type,
        url=found.url,
        state=found.state,
        reason=found.reason or None,
        created_at=found.created_at,
        due_at=found.due_at if found.state is DeliveryState.PENDING else None,
        ended_at=found.ended_at,
        tries=found.tries,
    )


def try_view(found: Try) -> TryView:
    """A line of its log."""
    return TryView(
        number=found.number,
        at=found.at,
        milliseconds=found.milliseconds,
        status=found.status,
        error=found.error or None,
    )
