"""Jobs to their end: our operator beside the Job controller of Kubernetes, in turns.

Each run of each side has an API server, an etcd and a database of its own, the same fake node, and the
same load. Run it with `hack/bench jobs`.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.bench import api_calls, figures, load, nodes, sides
from tests.bench.conftest import Asked
from tests.bench.figures import Costs, Figure
from tests.bench.load import Done, Ends
from tests.bench.report import Report
from tests.bench.sides import Side
from tests.bench.spending import Meter
from tests.support.postgres import Server

AT_ONCE = 1000
PER_SECOND = 20
SECONDS = 60
WARM_UP = 100
SIDES = (sides.Ours.name, sides.SAME, sides.SMALL)
# As the formula was first written down: what a good controller, kubelet and driver cost.
WRITTEN = Costs(writes=6, controller_ms=1.2, kubelet_ms=0.55, driver_ms=0.6)
LATENCIES = [Figure("p50, ms", "less", 0), Figure("p99, ms", "less", 0)]
COSTS = [
    Figure("controller, CPU ms per Job", "less"),
    Figure("API server, CPU ms per Job", "less"),
    Figure("etcd, CPU ms per Job", "less"),
    Figure("Postgres, CPU ms per Job"),
    Figure("agents, CPU ms per Job"),
    Figure("kubelet, CPU ms per Job"),
    Figure("driver, CPU ms per Job"),
    Figure("others on the machine, CPU ms per Job"),
    Figure("writes per Job, everybody's", "less"),
    Figure("writes per Job, the controller's", "less"),
    Figure("API calls per Job, the controller's", "less"),
]
FORMULA = [
    Figure("formula as written, Jobs/s", digits=0),
    Figure("measured / formula as written"),
    Figure("formula with what was measured, Jobs/s", digits=0),
    Figure("measured / formula with what was measured"),
]
# What the measured inputs of the formula are made of.
OURS, NODES = ("controller", "Postgres"), ("kubelet", "agents")
# Calls that are made now and then, such as for a lease, are no part of a Job's cost.
LEAST_CALLS = 0.01
Load = Callable[[Client, Side, Ends], Awaitable[Done]]
Sample = dict[str, float]


def test_jobs_at_once(asked: Asked, postgres: Server, tmp_path: Path) -> None:
    names = [f"j{number:05}" for number in range(asked.size or AT_ONCE)]
    lines = [Figure("Jobs/s", "more", 0), *LATENCIES, *COSTS, *FORMULA]
    report = Report("Jobs", f"{len(names)} at once", SIDES, lines, asked.json)

    async def made(client: Client, side: Side, ends: Ends) -> Done:
        return await load.at_once(client, side, ends, names)

    def judged(done: Done, sample: Sample) -> Sample:
        return {"Jobs/s": done.per_second, **sample, **_formula(done, sample)}

    _compare(report, asked.runs, made, judged, server=postgres, folder=tmp_path)


def test_jobs_at_a_fixed_rate(asked: Asked, postgres: Server, tmp_path: Path) -> None:
    seconds = asked.seconds or SECONDS
    names = [f"j{number:05}" for number in range(PER_SECOND * seconds)]
    setting = f"{PER_SECOND} per second for {seconds} s"
    report = Report("Jobs", setting, SIDES, [*LATENCIES, *COSTS], asked.json)

    async def made(client: Client, side: Side, ends: Ends) -> Done:
        return await load.steady(client, side, ends, names, PER_SECOND)

    _compare(report, asked.runs, made, lambda _, sample: sample, server=postgres, folder=tmp_path)


def _compare(
    report: Report,
    runs: int,
    made: Load,
    judged: Callable[[Done, Sample], Sample],
    *,
    server: Server,
    folder: Path,
) -> None:
    for run in range(runs):
        for name in report.order(run):
            place = folder / f"{run}-{report.sides.index(name)}"
            place.mkdir()
            with sides.started(name, server, place) as (side, plane):
                done, sample = asyncio.run(_measure(report, side, plane, made))
            report.add(name, judged(done, sample))
    print(f"\n\n{report.text()}\n")


async def _measure(
    report: Report, side: Side, plane: ControlPlane, made: Load
) -> tuple[Done, Sample]:
    client = await Client.connect(plane.kubeconfig, name="bench-driver")
    watching = await Client.connect(plane.kubeconfig, name="bench-watch")
    report.about["Kubernetes"] = (await client.get("/version"))["gitVersion"]
    await side.prepare(client)
    with side.working() as controller:
        await side.ready(client)
        async with nodes.started(plane.kubeconfig, side) as node, Ends(watching, side) as ends:
            await load.at_once(client, side, ends, [f"warm-{n}" for n in range(WARM_UP)])
            pids = {
                "controller": controller,
                "API server": plane.pid("kube-apiserver"),
                "etcd": plane.pid("etcd"),
                "driver": os.getpid(),
                **node.pids,
            }
            meter = Meter(pids, side.families())
            await meter.rest()
            calls = await api_calls.read(client)
            await meter.rest()
            before = meter.read()
            done = await made(client, side, ends)
            await meter.rest()
            spent = meter.read().since(before)
            calls = await api_calls.read(client) - calls
            await node.check(len(done.begun) + WARM_UP)
            await side.check(len(done.begun) + WARM_UP)
    await client.close()
    await watching.close()
    return done, _sample(side, done, spent, calls)


def _sample(side: Side, done: Done, spent: Mapping[str, float], calls: Counter[str]) -> Sample:
    jobs = len(done.begun)
    own = api_calls.of_controller(calls, [side.user])
    found = {
        "p50, ms": figures.percentile(done.milliseconds, 0.5),
        "p99, ms": figures.percentile(done.milliseconds, 0.99),
        "writes per Job, everybody's": api_calls.writes(calls) / jobs,
        "writes per Job, the controller's": api_calls.writes(own) / jobs,
        "API calls per Job, the controller's": own.total() / jobs,
    }
    found |= {f"{name}, CPU ms per Job": 1000 * each / jobs for name, each in spent.items()}
    return found | {call: n / jobs for call, n in sorted(own.items()) if n / jobs >= LEAST_CALLS}


def _formula(done: Done, sample: Sample) -> Sample:
    measured = Costs(
        writes=sample["writes per Job, everybody's"],
        controller_ms=sum(sample.get(f"{name}, CPU ms per Job", 0.0) for name in OURS),
        kubelet_ms=sum(sample.get(f"{name}, CPU ms per Job", 0.0) for name in NODES),
        driver_ms=sample["driver, CPU ms per Job"],
    )
    cores = os.cpu_count() or 1
    return {
        "formula as written, Jobs/s": WRITTEN.jobs_per_second(cores),
        "measured / formula as written": done.per_second / WRITTEN.jobs_per_second(cores),
        "formula with what was measured, Jobs/s": measured.jobs_per_second(cores),
        "measured / formula with what was measured": done.per_second
        / measured.jobs_per_second(cores),
    }
