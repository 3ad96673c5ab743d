"""One answer for all who ask at the same time, and for those who ask a moment later."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Asks at most once at a time; an answer is good for ``seconds`` from its coming."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[T]],
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._seconds = seconds
        self._clock = clock
        self._asking: asyncio.Task[T] | None = None
        self._until = 0.0

    async def get(self) -> T:
        """The answer. Who goes away before it comes takes it from nobody else."""
        if self._asking is None or (self._asking.done() and self._clock() >= self._until):
            self._asking = asyncio.create_task(self._answer())
        return await asyncio.shield(self._asking)

    async def _answer(self) -> T:
        try:
            return await self._ask()
        finally:
            self._until = self._clock() + self._seconds
