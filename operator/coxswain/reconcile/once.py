"""An answer that is asked for once, however many want it at the same time, and kept for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

A = TypeVar("A")


class Kept(Generic[A]):
    """Answers by name. ``seconds`` says how long an answer may be kept."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[A]],
        seconds: Callable[[A], float],
        clock: Callable[[], float],
    ) -> None:
        self._ask = ask
        self._seconds = seconds
        self._clock = clock
        self._known: dict[str, tuple[A, float]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def get(self, name: str) -> A:
        """The answer; an error of the question is raised to everybody and not kept."""
        known = self._fresh(name)
        if known is not None:
            return known[0]
        async with self._asking.setdefault(name, asyncio.Lock()):
            known = self._fresh(name)
            if known is None:
                known = await self._ask(name), self._clock()
                self._known[name] = known
        return known[0]

    def forget(self, name: str) -> None:
        """Ask again at the next question."""
        self._known.pop(name, None)

    def _fresh(self, name: str) -> tuple[A, float] | None:
        known = self._known.get(name)
        if known is None or self._clock() - known[1] >= self._seconds(known[0]):
            return None
        return known
