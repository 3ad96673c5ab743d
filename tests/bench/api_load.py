"""The API under load: one process of it, asked by a few connections from this one."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import api_routes, figures, spending
from tests.bench.api_routes import ROUTES, Caller
from tests.bench.figures import Figure
from tests.bench.spending import Meter
from tests.support import sidecar_process
from tests.support.postgres import Database, Server

AT_ONCE = 16
JOBS = 1000
SIDECAR, POSTGRES, DRIVER = "sidecar", "Postgres", "driver"
PARTS = (SIDECAR, POSTGRES, DRIVER)
RATE, LATE = "requests/s", "p99, ms"
LINES = [
    line
    for route in ROUTES
    for line in (
        Figure(f"{route}: {RATE}", "more", 0),
        Figure(f"{route}: {LATE}", "less"),
        *(Figure(f"{route}: CPU of {part}, ms", "less") for part in PARTS),
    )
]
SOAK_PER_SECOND = 200
LOOK_SECONDS = 1.0
SLOPE = "memory, KiB per minute"
SOAK_LINES = [
    Figure("requests/s", digits=0),
    Figure("p99, ms", "less"),
    Figure("memory at first, MB", digits=1),
    Figure("memory at last, MB", digits=1),
    Figure(SLOPE, digits=1),
]


@dataclass(frozen=True)
class Api:
    """A process of the API, and who asks it."""

    pid: int
    callers: Sequence[Caller]
    meter: Meter

    async def route(self, name: str, requests: int) -> dict[str, float]:
        """So many requests of one route, as fast as they are answered."""
        make, left, times = ROUTES[name], iter(range(requests)), list[float]()

        async def ask(caller: Caller) -> None:
            for _ in left:
                request = make(caller)
                began = time.perf_counter()
                await caller.ask(request)
                times.append(time.perf_counter() - began)

        before, began = self.meter.read(), time.perf_counter()
        await asyncio.gather(*map(ask, self.callers))
        seconds, spent = time.perf_counter() - began, self.meter.read().since(before)
        return {
            f"{name}: {RATE}": requests / seconds,
            f"{name}: {LATE}": 1000 * figures.percentile(times, 0.99),
            **{f"{name}: CPU of {part}, ms": 1000 * spent[part] / requests for part in PARTS},
        }

    async def soak(self, seconds: float) -> dict[str, float]:
        """All routes by turns at a steady rate, or what it can, for so long; how its memory went meanwhile."""
        start, times = time.monotonic(), list[float]()
        numbers = itertools.takewhile(
            lambda number: max(number / SOAK_PER_SECOND, time.monotonic() - start) < seconds,
            itertools.count(),
        )
        makes = itertools.cycle(ROUTES.values())
        looks: list[tuple[float, float]] = []
        looking = asyncio.create_task(self._look(start, looks))

        async def ask(caller: Caller) -> None:
            for number in numbers:
                make: Callable[[Caller], bytes] = next(makes)
                due = start + number / SOAK_PER_SECOND
                await asyncio.sleep(due - time.monotonic())
                await caller.ask(make(caller))
                times.append(time.monotonic() - due)

        await asyncio.gather(*map(ask, self.callers))
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        return {
            "requests/s": len(times) / (time.monotonic() - start),
            "p99, ms": 1000 * figures.percentile(times, 0.99),
            **_memory(looks),
        }

    async def _look(self, start: float, looks: list[tuple[float, float]]) -> None:
        """Note seconds since the start, and bytes that it holds."""
        while True:
            looks.append((time.monotonic() - start, spending.family_bytes(self.pid)))
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def opened(
    server: Server, database: Database, folder: Path, jobs: int = JOBS
) -> AsyncIterator[Api]:
    """It for the length of a block; everybody is let in."""
    assert server.pid is not None, "the CPU of a server elsewhere cannot be seen"
    callers = await api_routes.furnish(database, AT_ONCE, jobs)
    async with sidecar_process.started(
        database.sidecar,
        folder,
        COXSWAIN_DATABASE_POOL=str(AT_ONCE),
        COXSWAIN_REQUESTS_PER_SECOND="100000",
        COXSWAIN_AGENT_REQUESTS_PER_SECOND="100000",
    ) as sidecar:
        for caller in callers:
            await caller.connect(sidecar.url)
        pid = sidecar.process.pid
        meter = Meter({SIDECAR: pid, DRIVER: os.getpid()}, {POSTGRES: server.pid})
        yield Api(pid, callers, meter)
        for caller in callers:
            caller.close()


def _memory(looks: Sequence[tuple[float, float]]) -> dict[str, float]:
    warm = figures.warm(looks)
    return {
        "memory at first, MB": warm[0][1] / 1e6,
        "memory at last, MB": warm[-1][1] / 1e6,
        SLOPE: 60 * figures.slope(warm) / 1024,
    }
