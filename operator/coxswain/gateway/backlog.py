"""Rows that must reach Postgres, also when it is away for a while: each is written now or waits here.

Bounded: when there is no room the oldest goes, and is counted.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from prometheus_client import Counter

from coxswain.errors import CoxswainError
from coxswain.telemetry import logs

WAITING = 10_000
RETRY_SECONDS = 2.0

log = logs.get(__name__)


class Identified(Protocol):
    """What a row must have, so that the log can name it."""

    @property
    def id(self) -> UUID:
        """Its own id; written twice it stands once."""
        ...


R = TypeVar("R", bound=Identified)


class Backlog(Generic[R]):
    """One for each sort of row; ``run`` is its task."""

    def __init__(self, write: Callable[[R], Awaitable[None]], lost: Counter) -> None:
        self._write = write
        self._lost = lost
        self._waiting: deque[R] = deque()
        self._filled = asyncio.Event()

    async def record(self, row: R) -> None:
        """Write a row now, or keep it for when Postgres is back."""
        try:
            await self._write(row)
        except CoxswainError as error:
            self._keep(row, error)

    async def run(self) -> None:
        """Write what waits, until cancelled."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(RETRY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Try everything that waits once more."""
        while self._waiting:
            try:
                await self._write(self._waiting[0])
            except CoxswainError:
                return
            self._waiting.popleft()
        self._filled.clear()

    def _keep(self, row: R, error: CoxswainError) -> None:
        kind = type(row).__name__
        if len(self._waiting) == WAITING:
            self._lost.inc()
            log.error("a row is lost", kind=kind, id=str(self._waiting.popleft().id))
        self._waiting.append(row)
        self._filled.set()
        log.warning("a row waits for the database", kind=kind, id=str(row.id), reason=error.code)
