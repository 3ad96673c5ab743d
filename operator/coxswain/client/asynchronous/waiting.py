"""Waiting, and doing something again and again beside other work. Its twin without ``await`` is by hand too."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]
sleep: Sleep = asyncio.sleep


class Repeating:
    """Calls something every so many seconds until it says False, or is stopped."""

    def __init__(self, call: Callable[[], Awaitable[bool]], seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first call comes after the first wait."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """No call begins or goes on after this."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        going = True
        while going:
            await asyncio.sleep(self._seconds)
            going = await self._call()
