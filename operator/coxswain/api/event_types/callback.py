"""Events of callbacks: how far it is to tell a receiver of a Job's end."""

from pydantic import Field

from coxswain.api.deliveries import DeliveryState
from coxswain.api.event_type import EventType
from coxswain.api.meta import Model


class CallbackTold(Model):
    """What came of a try, or why there was none."""

    delivery: str
    """The delivery's id."""
    host: str
    """Where it goes."""
    number: int | None = Field(default=None, alias="try")
    """The try's number."""
    status: int | None = None
    """The receiver's HTTP status."""
    error: str | None = None
    """What went wrong on the way."""
    reason: str | None = None
    """Why it was given up or left out, in one word."""
    message: str | None = None
    """Why, in a sentence."""


class CallbackRedriven(Model):
    """Somebody had a delivery tried again."""

    delivery: str
    """The delivery's id."""
    was: str
    """Dead or Skipped."""
    reason: str
    """Why it was that."""


CALLBACK_DELIVERED = EventType("callback.delivered", "A receiver took a callback.", CallbackTold)
CALLBACK_FAILED = EventType(
    "callback.failed", "A try failed; there will be another one.", CallbackTold
)
CALLBACK_DEAD = EventType("callback.dead", "A callback was given up.", CallbackTold)
CALLBACK_SKIPPED = EventType(
    "callback.skipped",
    "A callback may not be sent as it was asked for.",
    CallbackTold,
    is_security=True,
)
CALLBACK_REDRIVEN = EventType(
    "callback.redriven", "Somebody had a callback tried again.", CallbackRedriven
)

CAME_TO = {
    DeliveryState.DELIVERED: CALLBACK_DELIVERED,
    DeliveryState.PENDING: CALLBACK_FAILED,
    DeliveryState.DEAD: CALLBACK_DEAD,
    DeliveryState.SKIPPED: CALLBACK_SKIPPED,
}
TYPES = (*CAME_TO.values(), CALLBACK_REDRIVEN)
