"""Whether and when a failed attempt is followed by another one; ``failures`` has the table."""

import hashlib

from coxswain.api.job import Retry
from coxswain.rules import failures
from coxswain.rules.outcome import Ended

LOST_LIMIT = 10
"""Attempts that were taken away before the Job fails all the same."""


def is_due(ended: Ended, retry: Retry, *, used: int, lost: int) -> bool:
    """Whether another attempt follows; ``used`` and ``lost`` count this one already."""
    if ended.outcome == "Lost":
        return lost < LOST_LIMIT
    if ended.outcome != "Failed" or ended.is_final or not failures.may_pass(ended.reason):
        return False
    return used < retry.max_attempts


def longest_seconds(retry: Retry, *, used: int) -> int:
    """The longest that the wait may be: doubled each time, bounded."""
    doubled = retry.backoff_seconds * 2 ** min(used - 1, 20)
    return int(min(retry.max_backoff_seconds, doubled))


def delay_seconds(ended: Ended, retry: Retry, *, used: int, seed: str) -> float:
    """Wait before the next attempt: anything up to the longest; none after a lost pod.

    Full jitter, so that many Jobs that failed together do not come back together. It is drawn from
    the seed, which names the attempt: whoever decides again, decides the same.
    """
    if ended.outcome == "Lost":
        return 0
    drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) / 2**64
    return round(longest_seconds(retry, used=used) * drawn, 3)
