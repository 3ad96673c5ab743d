"""Acts with side effects: begun only when the platform has written so down, ended as soon as it can.

After a crash an act that began and did not end has an unknown outcome, and nobody repeats it
blindly. So an act must not start unrecorded; an end that is recorded late only makes us careful.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from coxswain.api.contract import ActRequest
from coxswain.errors import CoxswainError, TransientError
from coxswain_agent.backoff import persist
from coxswain_agent.clock import RunClock
from coxswain_agent.contract import Platform
from coxswain_agent.errors import RefusedError, ToolError

log = logging.getLogger(__name__)


class Acts:
    """The acts of one run."""

    def __init__(self, platform: Platform, clock: RunClock, wait_seconds: float) -> None:
        self._platform = platform
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._ends: set[asyncio.Task[None]] = set()
        self.interrupted: list[str] = []

    @asynccontextmanager
    async def recorded(self, name: str) -> AsyncIterator[None]:
        """Around an act. Raises ToolError, before it starts, if its begin cannot be recorded.

        An act that is cut off by the end of the run stays open: nobody knows how far it came.
        """
        act = await self.begin(name)
        try:
            yield
        except asyncio.CancelledError:
            self.interrupted.append(name)
            raise
        except BaseException:
            self._end_later(act, name)
            raise
        self._end_later(act, name)

    @asynccontextmanager
    async def recorded_to_the_result(self, name: str) -> AsyncIterator[None]:
        """Around an act that is the run's own work: only the result ends it.

        So a pod that is lost after the work and before the result does not lead to a second time.
        """
        await self.begin(name)
        try:
            yield
        except asyncio.CancelledError:
            self.interrupted.append(name)
            raise

    async def settle(self, until: float) -> None:
        """Wait until all ends are recorded, at most until then."""
        ends = list(self._ends)
        if ends:
            await asyncio.wait(ends, timeout=max(0.0, until - time.monotonic()))
        for task in ends:
            task.cancel()

    async def begin(self, name: str) -> UUID:
        """Record that an act begins. Raises ToolError if that cannot be."""
        act = self._clock.event_id()
        request = ActRequest(id=act, name=name, phase="begin")
        until = time.monotonic() + self._wait_seconds
        try:
            await persist(lambda: self._platform.act(request), until)
        except TransientError as error:
            # An answer may have been lost; the end takes back what may have been written.
            self._end_later(act, name)
            raise ToolError(
                f"{name} was not started: the platform could not be told within"
                f" {self._wait_seconds:.0f} seconds; nothing was done"
            ) from error
        except RefusedError as error:
            raise ToolError(f"{name} was not started: {error.message}") from error
        return act

    def _end_later(self, act: UUID, name: str) -> None:
        task = asyncio.create_task(self._end(act, name))
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _end(self, act: UUID, name: str) -> None:
        request = ActRequest(id=act, name=name, phase="end")
        try:
            await persist(lambda: self._platform.act(request), float("inf"))
        except CoxswainError as error:
            log.warning("the end of %s is not recorded: %s", name, error)
