"""Many small requests at once become one round trip: whoever asks waits for the batch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from coxswain.errors import CoxswainError, FencedError, TransientError

Q = TypeVar("Q")
A = TypeVar("A")


class Batches(Generic[Q, A]):
    """Collects what is asked during one flush and asks it together in the next."""

    def __init__(
        self, flush: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], most: int = 200
    ) -> None:
        self._flush = flush
        self._most = most
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Put a question into the next batch and wait for its answer, or for the batch's error."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                answers = await self._flush([question for question, _ in batch])
            except BaseException as error:
                self._refuse(batch, error)
                if isinstance(error, asyncio.CancelledError):
                    raise
                continue
            for (_, waiting), answer in zip(batch, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(answer)

    @staticmethod
    def _refuse(batch: Sequence[tuple[Q, asyncio.Future[A]]], error: BaseException) -> None:
        for _, waiting in batch:
            if waiting.done():
                continue
            if isinstance(error, asyncio.CancelledError):
                waiting.cancel()
            else:
                waiting.set_exception(error)


def each_alone(
    flush: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], note: Callable[[CoxswainError], None]
) -> Callable[[Sequence[Q]], Awaitable[list[A | CoxswainError]]]:
    """A flush in which what the database refuses spoils nothing for the rest of its batch.

    ``note`` hears of a database that does not answer.
    """

    async def flushed(batch: Sequence[Q]) -> list[A | CoxswainError]:
        try:
            return [*await flush(batch)]
        except FencedError:
            raise
        except TransientError as error:
            note(error)
            raise
        except CoxswainError as error:
            if len(batch) == 1:
                return [error]
            return [answer for each in batch for answer in await flushed([each])]

    return flushed


def or_raise(answer: A | CoxswainError) -> A:
    """The answer, if it is one."""
    if isinstance(answer, CoxswainError):
        raise answer
    return answer
