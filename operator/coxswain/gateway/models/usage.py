"""What each model call used, as a row in Postgres, also when the call failed or its caller went away.

A row is written before the caller hears that its answer is whole. While Postgres is away rows wait
here, within bounds, and calls go on.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from coxswain.errors import CoxswainError
from coxswain.store.usage import Call
from coxswain.telemetry import logs, metrics

WAITING = 10_000
RETRY_SECONDS = 2.0

Write = Callable[[Call], Awaitable[None]]

log = logs.get(__name__)


class UsageLog:
    """One for the process; ``run`` is its task."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: deque[Call] = deque()
        self._filled = asyncio.Event()

    async def record(self, call: Call) -> None:
        """Write a row now, or keep it for when Postgres is back. The oldest goes when there is no room."""
        try:
            await self._write(call)
        except CoxswainError as error:
            self._keep(call, error)

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

    def _keep(self, call: Call, error: CoxswainError) -> None:
        if len(self._waiting) == WAITING:
            lost = self._waiting.popleft()
            metrics.USAGE_LOST.inc()
            log.error("a usage row is lost", id=str(lost.id), agent=lost.agent_name)
        self._waiting.append(call)
        self._filled.set()
        log.warning("a usage row waits for the database", id=str(call.id), reason=error.code)
