"""Tells the end of connections that a killed gateway left open in the log; every replica does."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from coxswain.errors import CoxswainError
from coxswain.telemetry import logs

SECONDS = 60.0
FIRST = timedelta(days=1)
"""How far the first look goes back: no gateway may have been there for a while."""
LATER = timedelta(minutes=15)

Close = Callable[[timedelta], Awaitable[int]]

log = logs.get(__name__)


async def run(close: Close, seconds: float = SECONDS) -> None:
    """Look again and again, until cancelled; after a failure as far back as at first."""
    back = FIRST
    while True:
        try:
            found = await close(back)
            if found:
                log.info("connections of a lost gateway have ended", connections=found)
            else:
                back = LATER
        except CoxswainError as error:
            log.warning("lost connections cannot be looked for", reason=error.code)
            back = FIRST
        await asyncio.sleep(seconds)
