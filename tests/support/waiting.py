"""Waits for what another process does, with a deadline."""

import asyncio
from collections.abc import Callable

SECONDS = 20.0


async def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Look again and again; TimeoutError after so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)
