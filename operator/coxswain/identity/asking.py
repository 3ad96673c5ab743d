"""Questions to somebody who is slow to answer, and whom a crowd must not drown."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from coxswain.errors import TransientError

TOO_MANY = "too_many_reviews"
TOO_MANY_TEXT = "too many tokens are being looked at; come again in a moment"
T = TypeVar("T")


class Remembered(Generic[T]):
    """Answers by their question, for some seconds from when it was asked. Of all who ask the same at once, one asks."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[T]] = {}

    async def ask(self, question: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer. Raises what ``ask`` raises, to all who wait for it; that is not remembered."""
        known = self._known.get(question)
        if known is not None and self._clock() < known[0]:
            return known[1]
        task = self._asking.get(question)
        if task is None:
            task = asyncio.create_task(self._answer(question, ask))
            task.add_done_callback(_seen)
            self._asking[question] = task
        # Who leaves takes the answer from none of the others.
        return await asyncio.shield(task)

    async def _answer(self, question: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        asked_at = self._clock()
        try:
            answer = await ask()
        finally:
            del self._asking[question]
        self._known.pop(question, None)
        self._known[question] = (asked_at + self._seconds, answer)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return answer


class Few:
    """So many questions under way at once; so many more wait for their turn, and those beyond are turned away."""

    def __init__(
        self, at_once: int, waiting: int, *, code: str = TOO_MANY, text: str = TOO_MANY_TEXT
    ) -> None:
        """``code`` and ``text`` are those of the error for who is turned away."""
        self._code, self._text = code, text
        self._turns = asyncio.Semaphore(at_once)
        self._most_waiting = waiting
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, which lasts for the block. Raises TransientError where too many wait."""
        if self._waiting >= self._most_waiting:
            raise TransientError(self._text, code=self._code)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()


def _seen(task: asyncio.Task[T]) -> None:
    """Nobody may be left to see how it ended."""
    if not task.cancelled():
        task.exception()
