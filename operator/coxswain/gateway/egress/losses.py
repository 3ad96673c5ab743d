"""Tells the end of connections that a killed gateway left open in the log; every replica does."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from coxswain.errors import CoxswainError
from coxswain.store.connections import Looked
from coxswain.telemetry import logs

SECONDS = 60.0
PAUSE_SECONDS = 0.1
"""Between two slices of what is behind."""

Close = Callable[[datetime | None], Awaitable[Looked]]

log = logs.get(__name__)


async def run(close: Close, seconds: float = SECONDS, pause: float = PAUSE_SECONDS) -> None:
    """Walk through the time slice by slice, until cancelled; after a failure from the same place."""
    since: datetime | None = None
    while True:
        wait = seconds
        try:
            looked = await close(since)
            since = looked.since
            if looked.found:
                log.info("connections of a lost gateway have ended", connections=looked.found)
            if looked.is_more:
                wait = pause
        except CoxswainError as error:
            log.warning("lost connections cannot be looked for", reason=error.code)
        await asyncio.sleep(wait)
