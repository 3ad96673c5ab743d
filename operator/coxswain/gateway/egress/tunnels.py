"""The open tunnels of this process. When a run is over, its tunnels are cut.

While the database is away nothing is cut: pods go on then, and so do their connections.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from coxswain.errors import CoxswainError
from coxswain.telemetry import logs, metrics

StillOpen = Callable[[Sequence[str]], Awaitable[frozenset[str]]]
RUN_OVER = "run_closed"
GATEWAY_ENDED = "gateway_ended"

log = logs.get(__name__)


@dataclass(eq=False)
class Tunnel:
    """One of them; whoever cuts it says why."""

    pod_uid: str
    task: "asyncio.Task[object]"
    cut: str | None = None

    def end(self, why: str) -> None:
        """Cut it."""
        if self.cut is None:
            self.cut = why
            self.task.cancel()


class Tunnels:
    """One for the process; ``run`` is its task."""

    def __init__(self, still_open: StillOpen, recheck_seconds: float) -> None:
        self._still_open = still_open
        self._recheck_seconds = recheck_seconds
        self._open: set[Tunnel] = set()

    @contextmanager
    def standing(self, tunnel: Tunnel) -> Iterator[None]:
        """Watch over a tunnel for the length of a block."""
        self._open.add(tunnel)
        metrics.EGRESS_OPEN.inc()
        try:
            yield
        finally:
            self._open.discard(tunnel)
            metrics.EGRESS_OPEN.dec()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._recheck_seconds)
            try:
                await self.look()
            except CoxswainError as error:
                log.warning("it cannot be known which runs are over", reason=error.code)

    async def look(self) -> None:
        """Cut the tunnels of runs that are over."""
        seen = tuple(self._open)
        if not seen:
            return
        living = await self._still_open(sorted({each.pod_uid for each in seen}))
        for each in seen:
            if each.pod_uid not in living:
                each.end(RUN_OVER)

    async def drain(self, seconds: float) -> None:
        """Let tunnels end by themselves for a while, then cut the rest."""
        tasks = [each.task for each in self._open]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for each in tuple(self._open):
            each.end(GATEWAY_ENDED)
        if tasks:
            await asyncio.wait(tasks)
