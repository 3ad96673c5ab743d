"""Trying again, by the same policy as every client of the platform, until a moment."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from coxswain.api.retry_policy import RetryPolicy
from coxswain.errors import TransientError

POLICY = RetryPolicy(first_seconds=0.4, most_seconds=8.0)
"""Only its waits: a moment, and no count, ends what the agent program tries."""

T = TypeVar("T")


async def persist(
    attempt: Callable[[], Awaitable[T]],
    until: float,
    *,
    first_seconds: float = POLICY.first_seconds,
) -> T:
    """Call until it succeeds, fails for good, or ``until`` (of the monotonic clock) is past.

    It is called at least once. Raises the last TransientError when time is up.
    """
    policy = replace(POLICY, first_seconds=first_seconds)
    failures = 0
    while True:
        try:
            return await attempt()
        except TransientError as error:
            failures += 1
            wait = pause(failures, error, policy)
            if time.monotonic() + wait >= until:
                raise
        await asyncio.sleep(wait)


def pause(failures: int, error: TransientError, policy: RetryPolicy = POLICY) -> float:
    """Seconds to wait after so many failures in a row, of which this is the last."""
    return policy.pause_seconds(failures, random.random(), error.retry_after_seconds)  # noqa: S311
