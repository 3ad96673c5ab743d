"""Rows of the outbox as types: what is to be delivered to somebody outside, and what came of it.

Pure, so that rules know them; ``coxswain.store.deliveries`` reads and writes them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from coxswain.api.records import Event


class DeliveryState(StrEnum):
    """Where a delivery is."""

    PENDING = "Pending"
    """It is due now or later."""
    DELIVERED = "Delivered"
    """The receiver took it."""
    DEAD = "Dead"
    """The receiver did not take it, and it is not tried again by itself."""
    SKIPPED = "Skipped"
    """It may not be sent; nothing was."""


@dataclass(frozen=True)
class NewDelivery:
    """What is owed to a receiver. ``id`` is derived, so writing it again adds nothing."""

    id: UUID
    workspace: str
    job_uid: str
    job_name: str
    type: str
    url: str
    host: str
    body: str
    signing_secret: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A delivery without its body. ``tries`` counts all, ``round_tries`` those since a redrive."""

    id: UUID
    workspace: str
    job_uid: str
    job_name: str
    type: str
    url: str
    host: str
    signing_secret: str | None
    state: DeliveryState
    reason: str
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None
    tries: int
    round_tries: int


@dataclass(frozen=True)
class Claimed:
    """A delivery that this process may try once, until its claim runs out."""

    delivery: Delivery
    claim: UUID
    body: str
    waited_seconds: float
    """Since the first try after it was made or redriven, by the database's clock."""


@dataclass(frozen=True)
class Settled:
    """What came of a claim: an end, or Pending and another try after so many seconds."""

    state: DeliveryState
    reason: str = ""
    wait_seconds: float = 0.0


@dataclass(frozen=True)
class Try:
    """One try that reached out: what came back, or why nothing did."""

    number: int
    at: datetime
    milliseconds: int
    status: int | None = None
    error: str = ""


@dataclass(frozen=True)
class Outcome:
    """All that is kept of one claim. Where nothing was sent there is no try."""

    claimed: Claimed
    found: Settled
    tried: Try | None
    event: Event
