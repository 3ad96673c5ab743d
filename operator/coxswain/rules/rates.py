"""How often one caller may ask: a bucket of tokens that fills steadily, and a request takes one. Pure."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """So many requests at once, and so many more each second."""

    name: str
    """Tells rates apart in headers."""
    burst: int
    per_second: float

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket fills."""
        return math.ceil(self.burst / self.per_second)


@dataclass
class Bucket:
    """The tokens that were left at an instant of a monotonic clock, in seconds."""

    left: float
    at: float


@dataclass(frozen=True)
class Standing:
    """How a caller stands after a request."""

    rate: Rate
    is_over: bool
    """Whether the request came too early, and is to be refused."""
    left: int
    """Requests that may come at once."""
    full_in: int
    """Seconds until it is the whole burst again."""
    wait: int
    """Seconds until one more may come; 0: now."""


def full(rate: Rate, now: float) -> Bucket:
    """The bucket of somebody who has not asked yet."""
    return Bucket(float(rate.burst), now)


def take(bucket: Bucket, rate: Rate, now: float) -> Standing:
    """Take a token for a request, if there is one."""
    passed = max(0.0, now - bucket.at)
    bucket.left = min(float(rate.burst), bucket.left + passed * rate.per_second)
    bucket.at = now
    is_over = bucket.left < 1
    if not is_over:
        bucket.left -= 1
    return Standing(
        rate=rate,
        is_over=is_over,
        left=int(bucket.left),
        full_in=math.ceil((rate.burst - bucket.left) / rate.per_second),
        wait=math.ceil(max(0.0, 1 - bucket.left) / rate.per_second),
    )
