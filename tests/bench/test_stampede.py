"""Hundreds of Schedules on one minute: ours beside CronJob of the same Kubernetes, in turns.

Both have the same API server; each has a minute of its own. Measured from the minute to the creation of
Job and pod, as a watch tells of them; no pod runs. Run it with `hack/bench stampede`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.bench import sides
from tests.bench.conftest import Asked
from tests.bench.figures import Figure, percentile
from tests.bench.report import Report
from tests.support import apiserver, audit, builders, leader
from tests.support.leader import OPERATOR, Installation
from tests.support.postgres import Server
from tests.support.workspace import Workspace

SCHEDULES = 500
OURS, PEER = "Coxswain", "CronJob"
RATES = (*sides.UNBOUND, "--concurrent-cron-job-syncs=50")
CRON_JOBS = "/apis/batch/v1/namespaces/{}/cronjobs"
BATCH_JOBS = "/apis/batch/v1/namespaces/{}/jobs"
AT_ONCE = 32
PREPARE_SECONDS, MOST_SECONDS = 60, 600
LINES = [
    Figure(f"minute to {kind}, {what}, ms", "less", 0)
    for kind in ("Job", "pod")
    for what in ("p50", "p99", "max")
] + [Figure("controller, CPU s", "less")]
Body = dict[str, Any]


def test_hundreds_of_schedules_on_one_minute(
    asked: Asked, postgres: Server, tmp_path: Path
) -> None:
    count = asked.size or SCHEDULES
    report = Report("Stampede", f"{count:,} on one minute", (OURS, PEER), LINES, asked.json)
    with _plane(tmp_path / "plane") as plane:
        world = World(leader.install(plane), postgres, tmp_path, count)
        asyncio.run(_compare(report, world, asked.runs))
    print(f"\n\n{report.text()}\n")


@contextmanager
def _plane(folder: Path) -> Iterator[ControlPlane]:
    """A control plane; each side's controller runs while it is that side's turn."""
    folder.mkdir()
    asked = [*audit.flags(folder, [OPERATOR]), *sides.FLAGS]
    with ControlPlane(folder, apiserver_args=asked) as started:
        asyncio.run(apiserver.install_kinds(started.kubeconfig))
        yield started


@dataclass(frozen=True)
class World:
    """What both sides have."""

    installation: Installation
    server: Server
    folder: Path
    count: int


async def _compare(report: Report, world: World, runs: int) -> None:
    client = await Client.connect(world.installation.plane.kubeconfig, name="bench-driver")
    try:
        report.about["Kubernetes"] = (await client.get("/version"))["gitVersion"]
        for run in range(runs):
            for name in report.order(run):
                side = _ours if name == OURS else _theirs
                report.add(name, await side(client, world))
    finally:
        await client.close()


async def _ours(client: Client, world: World) -> dict[str, float]:
    namespace = await apiserver.onboard(client, f"ours-{time.monotonic_ns()}")
    database = await asyncio.to_thread(world.server.create)
    fast = {"lease_seconds": 15, "schedules_per_second": 10_000}
    async with leader.onboarded(client, world.installation, namespace):
        with world.installation.operator(database, world.folder, **fast) as operator:  # type: ignore[arg-type]  # settings
            workspace = Workspace(client, namespace)
            await workspace.has_agent(quota={"concurrentJobs": 1000})
            minute = _minute()
            cron = f"{minute.minute} {minute.hour} * * *"

            async def make(n: int) -> None:
                await workspace.apply(builders.schedule(f"s{n:04}", "a").with_trigger(cron=[cron]))

            jobs = paths.collection("jobs", namespace)
            await _all(make, world.count, minute)
            return await _measure(
                client, (jobs, namespace), minute, world.count, operator.cpu_seconds
            )


async def _theirs(client: Client, world: World) -> dict[str, float]:
    namespace = await apiserver.onboard(client, f"theirs-{time.monotonic_ns()}")
    plane = world.installation.plane
    plane.start_controllers(["job", "cronjob"], RATES)
    try:
        minute = _minute()
        cron = f"{minute.minute} {minute.hour} * * *"

        async def make(n: int) -> None:
            await client.create(CRON_JOBS.format(namespace), _cron_job(f"s{n:04}", cron))

        def spent() -> float:
            return leader.cpu_seconds(plane.pid(sides.CONTROLLERS))

        await _all(make, world.count, minute)
        jobs = BATCH_JOBS.format(namespace)
        return await _measure(client, (jobs, namespace), minute, world.count, spent)
    finally:
        plane.stop_controllers()


async def _measure(
    client: Client,
    where: tuple[str, str],
    minute: datetime,
    count: int,
    spent: Callable[[], float],
) -> dict[str, float]:
    jobs, namespace = where
    before = spent()
    of_jobs, of_pods = await asyncio.gather(
        _creations(client, jobs, minute, count),
        _creations(client, paths.collection("pods", namespace), minute, count),
    )
    found = {"controller, CPU s": spent() - before}
    for kind, late in (("Job", of_jobs), ("pod", of_pods)):
        for what, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
            found[f"minute to {kind}, {what}, ms"] = 1000 * percentile(late, share)
    return found


def _minute() -> datetime:
    """The whole minute by which everything is made, with time to spare."""
    at = datetime.now(UTC) + timedelta(seconds=PREPARE_SECONDS + 60)
    return at.replace(second=0, microsecond=0)


async def _all(make: Callable[[int], Awaitable[None]], count: int, minute: datetime) -> None:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> None:
        async with free:
            await make(n)

    await asyncio.gather(*(one(n) for n in range(count)))
    assert datetime.now(UTC) < minute, "they were not made in time"


async def _creations(client: Client, path: str, minute: datetime, count: int) -> list[float]:
    """Seconds from the minute to each object's creation, as the watch brings it."""
    found: dict[str, float] = {}
    async with asyncio.timeout(MOST_SECONDS):
        async for name in _added(client, path):
            found.setdefault(name, (datetime.now(UTC) - minute).total_seconds())
            if len(found) == count:
                break
    return list(found.values())


def _cron_job(name: str, schedule: str) -> Body:
    container = {
        "name": "agent",
        "image": "localhost/agent:test",
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    pod = {
        "restartPolicy": "Never",
        "serviceAccountName": "coxswain-agent",
        "containers": [container],
    }
    job = {"spec": {"backoffLimit": 0, "template": {"spec": pod}}}
    spec = {"schedule": schedule, "timeZone": "Etc/UTC", "jobTemplate": job}
    return {"metadata": {"name": name}, "spec": spec}


async def _added(client: Client, path: str) -> AsyncIterator[str]:
    credentials = client.credentials
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(
            credentials.url + path, params={"watch": "1"}, ssl=credentials.tls or True
        ) as stream,
    ):
        rest = b""
        async for chunk in stream.content.iter_any():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                event = orjson.loads(line)
                if event["type"] == "ADDED":
                    yield event["object"]["metadata"]["name"]
