"""A cold start over many Jobs: our operator beside the Job controller of Kubernetes, in turns.

Both sides stand in one API server, so each finds the other's pods there as well. While nobody works,
some active Jobs' pods end and as many Jobs are made; then one controller starts and catches up. Run it
with `hack/bench restart`.
"""

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.bench import api_calls, load, nodes, sides, spending
from tests.bench.conftest import Asked
from tests.bench.figures import Figure
from tests.bench.load import Ends
from tests.bench.nodes import Nodes
from tests.bench.report import Report
from tests.bench.sides import Batch, Ours, Side
from tests.bench.spending import Meter
from tests.support import apiserver, waiting
from tests.support.postgres import Server

JOBS = 10_000
ACTIVE, CHANGED = 0.05, 0.01
FILL_SECONDS = 600.0
LINES = [
    Figure("to the first write, s", "less"),
    Figure("to converged, s", "less"),
    Figure("to rest, s", "less"),
    Figure("controller, CPU s", "less"),
    Figure("controller, peak MB", "less", 0),
    Figure("API server, CPU s", "less"),
    Figure("etcd, CPU s", "less"),
    Figure("Postgres, CPU s"),
    Figure("others on the machine, CPU s"),
    Figure("API calls", "less", 0),
    Figure("writes", "less", 0),
    Figure("finished Jobs that were written to", digits=0),
]


@dataclass
class World:
    """A side with its Jobs; nobody works on them but for the length of a start."""

    side: Side
    plane: ControlPlane
    node: Nodes
    client: Client
    watching: Client
    changed: int
    ended: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def names(self, count: int) -> list[str]:
        """Names that no Job has."""
        return [f"j{number:06}" for number in itertools.islice(self.numbers, count)]

    async def fill(self, finished: int, active: int) -> None:
        """Let Jobs run to their end, and others to where their agents are at work."""
        with self.side.working() as controller:
            await self.side.ready(self.client)
            async with Ends(self.watching, self.side) as ends:
                await load.make(self.client, self.side, self.names(finished))
                await ends.until(finished, FILL_SECONDS)
            self.ended = finished
            await self.hold(active)
            await Meter({"controller": controller}, self.side.families()).rest()

    async def hold(self, count: int) -> None:
        """Make Jobs that are active until they are told to end."""
        wanted = (await self.node.state(hold=True))["held"] + count
        await load.make(self.client, self.side, self.names(count))
        async with asyncio.timeout(FILL_SECONDS):
            while (await self.node.state())["held"] < wanted:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)
        await self.node.state(hold=False)

    async def start(self) -> dict[str, float]:
        """Change things, start the controller, and see how it catches up."""
        async with Ends(self.watching, self.side) as ends:
            assert len(ends.at) == self.ended
            await self._change(ends)
            finished = frozenset(ends.at)
            servers = Meter(
                {"API server": self.plane.pid("kube-apiserver"), "etcd": self.plane.pid("etcd")},
                self.side.families(),
            )
            await servers.rest()
            calls = await api_calls.read(self.client)
            before, began = servers.read(), time.monotonic()
            with self.side.working() as pid:
                self.ended += 2 * self.changed
                await ends.until(self.ended)
                await self.side.check(self.ended)
                converged = time.monotonic()
                rested = await Meter({"controller": pid}).rest()
                spent = servers.read().since(before)
                cpu, peak = spending.own_seconds(pid), spending.peak_megabytes(pid)
                calls = await api_calls.read(self.client) - calls
                written = len(finished & set(ends.events))
                await self.hold(self.changed)
        spent[spending.OTHERS] = max(0.0, spent[spending.OTHERS] - cpu)
        own = api_calls.of_controller(calls, [self.side.user])
        return {
            "to the first write, s": ends.first - began,
            "to converged, s": converged - began,
            "to rest, s": rested - began,
            "controller, CPU s": cpu,
            "controller, peak MB": peak,
            **{f"{name}, CPU s": seconds for name, seconds in spent.items()},
            "API calls": own.total(),
            "writes": api_calls.writes(own),
            "finished Jobs that were written to": written,
        }

    async def _change(self, ends: Ends) -> None:
        """Pods end and Jobs are made, and nobody is there to see it."""
        await self.node.state(end=self.changed)
        names = self.names(self.changed)
        await load.make(self.client, self.side, names)
        await waiting.until(lambda: all(name in ends.events for name in names))
        ends.begin_anew()


def test_a_start_over_many_jobs(asked: Asked, postgres: Server, tmp_path: Path) -> None:
    jobs = asked.size or JOBS
    changed, active = _shares(jobs)
    assert changed + active <= sides.MOST_AT_ONCE, f"--size {jobs}: {active} active are too many"
    setting = f"{jobs:,} Jobs, {ACTIVE:.0%} active, {changed} pods ended and {changed} Jobs made"
    report = Report("Start", setting, (Ours.name, sides.SAME), LINES, asked.json)
    logs = tmp_path / "logs"
    logs.mkdir()
    with sides.plane(tmp_path / "plane") as plane:
        asyncio.run(apiserver.install_kinds(plane.kubeconfig))
        database = postgres.create()
        both: list[Side] = [
            Ours(plane, postgres, database, logs),
            Batch(plane, sides.SAME, sides.same_pod()),
        ]
        asyncio.run(_compare(report, plane, both, asked.runs, jobs))
        postgres.drop(database)
    print(f"\n\n{report.text()}\n")


def _shares(jobs: int) -> tuple[int, int]:
    """How many change while nobody works, and how many are active."""
    changed = max(1, round(jobs * CHANGED))
    return changed, max(changed, round(jobs * ACTIVE))


async def _compare(
    report: Report, plane: ControlPlane, both: list[Side], runs: int, jobs: int
) -> None:
    worlds: dict[str, World] = {}
    changed, active = _shares(jobs)
    async with AsyncExitStack() as stack:
        for side in both:
            client = await Client.connect(plane.kubeconfig, name="bench-driver")
            watching = await Client.connect(plane.kubeconfig, name="bench-watch")
            stack.push_async_callback(client.close)
            stack.push_async_callback(watching.close)
            await side.prepare(client)
            node = await stack.enter_async_context(nodes.started(plane.kubeconfig, side))
            worlds[side.name] = World(side, plane, node, client, watching, changed)
            await worlds[side.name].fill(jobs - active, active)
        report.about["Kubernetes"] = (await client.get("/version"))["gitVersion"]
        for run in range(runs):
            for name in report.order(run):
                sample = await worlds[name].start()
                report.add(name, sample)
        for world in worlds.values():
            await world.node.check(next(world.numbers))
    ours = report.values(Ours.name, "finished Jobs that were written to")
    assert not any(ours), "a start wrote to Jobs that had ended"
