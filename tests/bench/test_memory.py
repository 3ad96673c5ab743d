"""What the operator's memory comes to: many ended Jobs known, and then very many events of them.

The Jobs are made and run to their end by one operator. The next one finds them, and what it holds at rest is the
first figure. Then annotations of the Jobs are changed by turns, an event each, and it is looked at each time
that all of a twentieth were taken in. Run it with `hack/bench memory`; `--size 200 --events 2000` is a quick look.
"""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.bench import figures, load, nodes, sides, spending
from tests.bench.conftest import Asked
from tests.bench.figures import Figure
from tests.bench.load import Ends
from tests.bench.report import Report
from tests.bench.sides import Ours
from tests.bench.spending import Meter
from tests.support.leader import Operator
from tests.support.postgres import Server

JOBS, EVENTS = 10_000, 100_000
ROUNDS = 20
AT_ONCE = 16
MIB = 2**20
FILL_SECONDS, LOOK_SECONDS, LONGEST_SECONDS = 1800.0, 0.25, 300.0
SLOPE = "growth per 100,000 events, MiB"
LINES = [
    Figure("at rest, MiB", "less", 1),
    Figure("most of the start, MiB", "less", 1),
    Figure("after the events, MiB", "less", 1),
    Figure(SLOPE, "less"),
    Figure("CPU ms per event", "less"),
]


@dataclass
class Known:
    """An operator that knows Jobs which have ended, and who changes them."""

    operator: Operator
    client: Client
    side: Ours
    names: list[str]

    @property
    def _pid(self) -> int:
        return self.operator.process.pid

    async def measured(self, events: int) -> dict[str, float]:
        """Its memory at rest, and how it goes while so many events come."""
        async with asyncio.timeout(LONGEST_SECONDS):
            while not await self.operator.is_ready():  # noqa: ASYNC110 - another process
                await asyncio.sleep(LOOK_SECONDS)
        await self._until("coxswain_jobs", len(self.names), phase="Succeeded")
        await self._rest()
        first, peak = spending.resident_bytes(self._pid), spending.peak_megabytes(self._pid)
        turns, looks = itertools.cycle(self.names), list[tuple[float, float]]()
        before = spending.own_seconds(self._pid)
        each = max(1, events // ROUNDS)
        passes = await self._sum("coxswain_reconcile_seconds_count", kind="Job")
        for number in range(1, ROUNDS + 1):
            await self._change(itertools.islice(turns, each), number)
            # A pass for each: so it has heard of each.
            await self._until(
                "coxswain_reconcile_seconds_count", passes + number * each, kind="Job"
            )
            await self._rest()
            looks.append((number * each, spending.resident_bytes(self._pid)))
        return {
            "at rest, MiB": first / MIB,
            "most of the start, MiB": peak * 1e6 / MIB,
            "after the events, MiB": looks[-1][1] / MIB,
            SLOPE: 100_000 * figures.slope(figures.warm(looks)) / MIB,
            "CPU ms per event": 1000 * (spending.own_seconds(self._pid) - before) / (ROUNDS * each),
        }

    async def _change(self, names: Iterator[str], number: int) -> None:
        """An event of each of these Jobs, of which nothing has to come."""

        async def patch() -> None:
            for name in names:
                change = {"metadata": {"annotations": {"bench": str(number)}}}
                await self.client.patch(f"{self.side.path}/{name}", change)

        await asyncio.gather(*(patch() for _ in range(AT_ONCE)))

    async def _until(self, metric: str, value: float, **labels: str) -> None:
        async with asyncio.timeout(LONGEST_SECONDS):
            while await self._sum(metric, **labels) < value:  # noqa: ASYNC110 - another process
                await asyncio.sleep(LOOK_SECONDS)

    async def _sum(self, metric: str, **labels: str) -> float:
        families = text_string_to_metric_families(await self.operator.metrics())
        samples = (each for family in families for each in family.samples)
        return sum(
            each.value
            for each in samples
            if each.name == metric and labels.items() <= each.labels.items()
        )

    async def _rest(self) -> None:
        await Meter({"controller": self._pid}).rest(LONGEST_SECONDS)


def test_memory(asked: Asked, postgres: Server, tmp_path: Path) -> None:
    jobs, events = asked.size or JOBS, asked.events or EVENTS
    setting = f"{jobs:,} ended Jobs, {events:,} events"
    report = Report("Memory", setting, [Ours.name], LINES, asked.json)
    for run in range(asked.runs):
        folder = tmp_path / str(run)
        folder.mkdir()
        with sides.started(Ours.name, postgres, folder) as (side, plane):
            assert isinstance(side, Ours)
            report.add(Ours.name, asyncio.run(_measured(side, plane, jobs, events)))
    print(f"\n\n{report.text()}\n")


async def _measured(side: Ours, plane: ControlPlane, jobs: int, events: int) -> dict[str, float]:
    names = [f"j{number:06}" for number in range(jobs)]
    async with AsyncExitStack() as stack:
        client = await Client.connect(plane.kubeconfig, name="bench-driver")
        stack.push_async_callback(client.close)
        await side.prepare(client)
        await _fill(side, plane, client, names)
        with side.replica("one") as operator:
            return await Known(operator, client, side, names).measured(events)


async def _fill(side: Ours, plane: ControlPlane, client: Client, names: list[str]) -> None:
    """Run them to their end; the operator that does it ends in order when it has come to rest."""
    watching = await Client.connect(plane.kubeconfig, name="bench-watch")
    try:
        with side.working() as controller:
            await side.ready(client)
            async with nodes.started(plane.kubeconfig, side) as node, Ends(watching, side) as ends:
                await load.make(client, side, names)
                await ends.until(len(names), FILL_SECONDS)
                await side.check(len(names))
                await node.check(len(names))
            await Meter({"controller": controller}).rest()
    finally:
        await watching.close()
