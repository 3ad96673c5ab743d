"""Who makes Jobs by the clock: our operator, and CronJob of Kubernetes; and what the API server alone can take.

Each run of each has an API server of its own, and no pod runs. All have the same workspace.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.kube.watch import Change, Hears, Stream
from devtools.controlplane import ControlPlane
from tests.bench import sides
from tests.support import apiserver, builders, leader
from tests.support.leader import Installation
from tests.support.postgres import Database, Server
from tests.support.workspace import Workspace

OURS, PEER, BARE = "Coxswain", "CronJob", "bare creations"
NAMESPACE = "ticking"
RATES = (*sides.UNBOUND, "--concurrent-cron-job-syncs=50")
CRON_JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs"
BATCH_JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
PODS = paths.collection("pods", NAMESPACE)
SCHEDULES = paths.collection("schedules", NAMESPACE)
AT_ONCE = 32
MINUTE = timedelta(minutes=1)
BEFORE = timedelta(seconds=2)
Body = dict[str, Any]


@dataclass(frozen=True)
class Ticking:
    """One of them, at work."""

    client: Client
    jobs: str
    """The collection of its Jobs."""
    controller: int
    """Its process."""
    make: Callable[[int, str], Awaitable[None]]
    """Make what fires by a cron line, under a number."""
    makes_pods: bool = True

    async def make_all(self, lines: dict[int, str]) -> None:
        """Make many, so many at once."""
        left = iter(lines.items())

        async def create() -> None:
            for number, line in left:
                await self.make(number, line)

        await asyncio.gather(*(create() for _ in range(AT_ONCE)))


@dataclass(frozen=True)
class _Home:
    client: Client
    installation: Installation
    database: Database
    folder: Path


def measure(
    name: str,
    server: Server,
    folder: Path,
    measured: Callable[[Ticking], Awaitable[dict[str, float]]],
    about: dict[str, str],
) -> dict[str, float]:
    """Have something measured of a side in a world of its own."""
    with _planes(folder) as plane, _databases(server) as database:
        installation = leader.install(plane)

        async def run() -> dict[str, float]:
            client = await Client.connect(plane.kubeconfig, name="bench-driver")
            about["Kubernetes"] = (await client.get("/version"))["gitVersion"]
            home = _Home(client, installation, database, folder)
            try:
                async with SIDES[name](home) as side:
                    return await measured(side)
            finally:
                await client.close()

        return asyncio.run(run())


def line(at: datetime) -> str:
    """The cron line of a minute."""
    return f"{at.minute} {at.hour} * * *"


def next_minute(least_seconds: float) -> datetime:
    """The first whole minute that is so far away."""
    at = datetime.now(UTC) + timedelta(seconds=least_seconds) + MINUTE
    return at.replace(second=0, microsecond=0)


async def just_before(minute: datetime) -> None:
    """Wait until a minute is about to begin. Raises AssertionError where that is over."""
    wait = (minute - BEFORE - datetime.now(UTC)).total_seconds()
    assert wait > 0, "what was to be done before the minute took longer than that"
    await asyncio.sleep(wait)


async def creations(
    client: Client, path: str, minute: datetime, count: int, seconds: float
) -> list[float]:
    """Seconds from the minute to the creation of so many objects, as a watch brings them."""
    late: list[float] = []
    are_enough = asyncio.Event()

    def hear(change: Change) -> None:
        if change.type == "ADDED":
            late.append((datetime.now(UTC) - minute).total_seconds())
            if len(late) == count:
                are_enough.set()

    stream = Stream(client, path, None, Hears(lambda *_: None, hear))
    await stream.list()
    watching = asyncio.create_task(stream.run())
    try:
        async with asyncio.timeout(seconds):
            await are_enough.wait()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return late[:count]


@contextmanager
def _planes(folder: Path) -> Iterator[ControlPlane]:
    folder.mkdir()
    with sides.plane(folder / "plane") as plane:
        asyncio.run(apiserver.install_kinds(plane.kubeconfig))
        yield plane


@contextmanager
def _databases(server: Server) -> Iterator[Database]:
    database = server.create()
    try:
        yield database
    finally:
        server.drop(database)


@asynccontextmanager
async def _ours(home: _Home) -> AsyncIterator[Ticking]:
    await _workspace(home)
    # No limit of its own stands in the way.
    started = home.installation.operator(
        home.database, home.folder, lease_seconds=15, schedules_per_second=10_000
    )
    with started as operator:
        workspace = Workspace(home.client, NAMESPACE)
        await workspace.has_agent(quota={"concurrentJobs": sides.MOST_AT_ONCE})

        async def make(number: int, cron: str) -> None:
            made = builders.schedule(f"s{number:05}", "a").with_trigger(cron=[cron])
            await home.client.create(
                SCHEDULES, made.in_namespace(NAMESPACE).manifest, {"fieldValidation": "Strict"}
            )

        jobs = paths.collection("jobs", NAMESPACE)
        yield Ticking(home.client, jobs, operator.process.pid, make)


@asynccontextmanager
async def _theirs(home: _Home) -> AsyncIterator[Ticking]:
    await _workspace(home)
    plane = home.installation.plane
    plane.start_controllers(["job", "cronjob"], RATES)

    async def make(number: int, cron: str) -> None:
        await home.client.create(CRON_JOBS, _cron_job(f"s{number:05}", cron))

    try:
        yield Ticking(home.client, BATCH_JOBS, plane.pid(sides.CONTROLLERS), make)
    finally:
        plane.stop_controllers()


@asynccontextmanager
async def _bare(home: _Home) -> AsyncIterator[Ticking]:
    """Nobody decides anything: the driver makes our Jobs itself as soon as the minute has begun."""
    await _workspace(home)
    jobs = paths.collection("jobs", NAMESPACE)
    turns = asyncio.Semaphore(AT_ONCE)

    async def create(number: int, cron: str) -> None:
        job = builders.job(f"s{number:05}", "a").with_command("true").in_namespace(NAMESPACE)
        await asyncio.sleep((_minute(cron) - datetime.now(UTC)).total_seconds())
        async with turns:
            await home.client.create(jobs, job.manifest)

    async with asyncio.TaskGroup() as due:

        async def make(number: int, cron: str) -> None:
            due.create_task(create(number, cron))

        yield Ticking(home.client, jobs, os.getpid(), make, makes_pods=False)


SIDES = {OURS: _ours, PEER: _theirs, BARE: _bare}


def _minute(cron: str) -> datetime:
    """The next minute of a cron line that ``line`` has made."""
    minute, hour, *_ = cron.split()
    now = datetime.now(UTC)
    at = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return at if at > now - MINUTE else at + timedelta(days=1)


async def _workspace(home: _Home) -> None:
    await apiserver.onboard(home.client, NAMESPACE)
    await home.installation.bind(home.client, NAMESPACE)
    await leader.furnish(home.client, NAMESPACE)


def _cron_job(name: str, schedule: str) -> Body:
    spec = sides.small_pod()
    spec["containers"][0]["resources"] = {"limits": {"cpu": "1", "memory": "512Mi"}}
    job = {"spec": {"backoffLimit": 0, "template": {"spec": spec}}}
    fires = {"schedule": schedule, "timeZone": "Etc/UTC", "jobTemplate": job}
    return {"metadata": {"name": name}, "spec": fires}
