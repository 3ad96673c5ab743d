"""What becomes of a delivery after a try: taken, given up, or another try later."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from coxswain.api.deliveries import DeliveryState, Settled

FACTOR = 3.0
GONE = 410


class Death(StrEnum):
    """Why it is not tried again."""

    GONE = "Gone"
    """The receiver answered 410."""
    ATTEMPTS_EXHAUSTED = "AttemptsExhausted"
    TIME_EXHAUSTED = "TimeExhausted"


@dataclass(frozen=True)
class Limits:
    """How long and how often a delivery is tried."""

    tries: int
    first_wait_seconds: float
    longest_wait_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or none; how long the receiver asked us to wait."""

    status: int | None = None
    retry_after_seconds: float = 0.0


def judge(
    answer: Answer, limits: Limits, *, tries: int, waited_seconds: float, chance: float
) -> Settled:
    """What becomes of a delivery after this try; ``chance`` is in [0, 1).

    ``tries`` and ``waited_seconds`` are of the round: this try counts, from its first one on.
    """
    if answer.status is not None and 200 <= answer.status < 300:
        return Settled(DeliveryState.DELIVERED)
    if answer.status == GONE:
        return Settled(DeliveryState.DEAD, Death.GONE)
    if tries >= limits.tries:
        return Settled(DeliveryState.DEAD, Death.ATTEMPTS_EXHAUSTED)
    wait = wait_seconds(limits, tries, chance)
    wait = max(wait, min(answer.retry_after_seconds, limits.longest_wait_seconds))
    if waited_seconds + wait > limits.total_seconds:
        return Settled(DeliveryState.DEAD, Death.TIME_EXHAUSTED)
    return Settled(DeliveryState.PENDING, wait_seconds=wait)


def wait_seconds(limits: Limits, tries: int, chance: float) -> float:
    """The wait after so many tries: three times as long each time, and up to half of it by chance."""
    whole = limits.first_wait_seconds * FACTOR ** min(tries - 1, 20)
    return min(limits.longest_wait_seconds, whole) * (1.0 - chance / 2)


def retry_after(text: str | None, now: datetime) -> float:
    """Seconds that a Retry-After header asks for, 0 where it asks for nothing that we understand."""
    if text is None:
        return 0.0
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - now
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, wait.total_seconds())
