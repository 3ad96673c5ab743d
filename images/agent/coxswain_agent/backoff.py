"""Trying again, in growing steps, until a moment."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from coxswain.errors import TransientError

FIRST_SECONDS = 0.2
MOST_SECONDS = 5.0

T = TypeVar("T")


async def persist(
    attempt: Callable[[], Awaitable[T]],
    until: float,
    *,
    first_seconds: float = FIRST_SECONDS,
) -> T:
    """Call until it succeeds, fails for good, or ``until`` (of the monotonic clock) is past.

    It is called at least once. Raises the last TransientError when time is up.
    """
    wait = first_seconds
    while True:
        try:
            return await attempt()
        except TransientError as error:
            pause = max(wait * random.uniform(0.5, 1.0), error.retry_after_seconds or 0.0)  # noqa: S311
            if time.monotonic() + pause >= until:
                raise
        await asyncio.sleep(pause)
        wait = min(MOST_SECONDS, wait * 2)
