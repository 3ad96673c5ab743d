"""Hundreds of Schedules on one minute: ours beside CronJob of the same Kubernetes, in the same run.

Both have the same API server and the same minute; one waits for its own turn, so that neither is
slowed down by the other. Measured from the minute to the creation of Job and pod, as the objects' own
watch tells it. Run it with hack/bench -k stampede.
"""

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.support import apiserver, audit, builders, leader
from tests.support.leader import OPERATOR, Installation, Operator
from tests.support.postgres import Database, Server
from tests.support.workspace import Workspace

SCHEDULES = int(os.environ.get("COXSWAIN_BENCH_SCHEDULES", "500"))
PEER = "system:serviceaccount:kube-system:cronjob-controller"
RATES = [
    "--kube-api-qps=5000",
    "--kube-api-burst=10000",
    "--concurrent-job-syncs=32",
    "--concurrent-cron-job-syncs=32",
]
CRON_JOBS = "/apis/batch/v1/namespaces/{}/cronjobs"
BATCH_JOBS = "/apis/batch/v1/namespaces/{}/jobs"
AT_ONCE = 32
Body = dict[str, Any]


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with the controllers of Job and CronJob, their limits out of the way."""
    folder = tmp_path_factory.mktemp("stampede")
    asked = audit.flags(folder, [OPERATOR, PEER])
    with ControlPlane(
        folder, controllers=["job", "cronjob"], controller_args=RATES, apiserver_args=asked
    ) as started:
        asyncio.run(apiserver.install_kinds(started.kubeconfig))
        yield started


async def test_five_hundred_schedules_on_one_minute(
    plane: ControlPlane, client: Client, postgres: Server, database: Database, tmp_path: Path
) -> None:
    installation = await asyncio.to_thread(leader.install, plane)
    with installation.operator(
        database, tmp_path, lease_seconds=15, schedules_per_second=10_000
    ) as operator:
        ours = await _ours(client, installation, operator)
    theirs = await _theirs(client, plane)
    print(f"\n{SCHEDULES} on one minute, ms from the minute")
    print(f"{'':10}{'p50':>10}{'p99':>10}{'max':>10}{'CPU s':>10}")
    for name, (jobs, pods, spent) in (("ours", ours), ("CronJob", theirs)):
        assert len(jobs) == len(pods) == SCHEDULES
        for kind, late in (("Job", jobs), ("pod", pods)):
            found = [f"{1000 * each:10.0f}" for each in _summary(late)]
            print(f"{name + ' ' + kind:12}{''.join(found)}{spent:10.2f}")


async def _ours(
    client: Client, installation: Installation, operator: Operator
) -> tuple[list[float], list[float], float]:
    namespace = await apiserver.onboard(client, f"ours-{time.monotonic_ns()}")
    async with leader.onboarded(client, installation, namespace):
        workspace = Workspace(client, namespace)
        await workspace.has_agent(quota={"concurrentJobs": 1000})
        minute = _next_minute(seconds=90)
        cron = f"{minute.minute} {minute.hour} * * *"

        async def make(n: int) -> None:
            made = builders.schedule(f"s{n:04}", "a").with_trigger(cron=[cron])
            await workspace.apply(made)

        await _all(make)
        assert datetime.now(UTC) < minute, "they were not made in time"
        before = operator.cpu_seconds()
        jobs, pods = await asyncio.gather(
            _creations(client, paths.collection("jobs", namespace), minute),
            _creations(client, paths.collection("pods", namespace), minute),
        )
        return jobs, pods, operator.cpu_seconds() - before


async def _theirs(client: Client, plane: ControlPlane) -> tuple[list[float], list[float], float]:
    namespace = await apiserver.onboard(client, f"theirs-{time.monotonic_ns()}")
    minute = _next_minute(seconds=60)
    pid = plane.pid("kube-controller-manager")

    async def make(n: int) -> None:
        schedule = f"{minute.minute} {minute.hour} * * *"
        await client.create(CRON_JOBS.format(namespace), _cron_job(f"s{n:04}", schedule))

    await _all(make)
    assert datetime.now(UTC) < minute, "they were not made in time"
    before = leader.cpu_seconds(pid)
    jobs, pods = await asyncio.gather(
        _creations(client, BATCH_JOBS.format(namespace), minute),
        _creations(client, paths.collection("pods", namespace), minute),
    )
    return jobs, pods, leader.cpu_seconds(pid) - before


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


def _next_minute(*, seconds: int) -> datetime:
    """The first whole minute that is at least so far away."""
    at = datetime.now(UTC) + timedelta(seconds=seconds + 60)
    return at.replace(second=0, microsecond=0)


async def _all(make: Any) -> None:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> None:
        async with free:
            await make(n)

    await asyncio.gather(*(one(n) for n in range(SCHEDULES)))


async def _creations(client: Client, path: str, minute: datetime) -> list[float]:
    """Seconds from the minute to each object's creation, as the watch brings it."""
    found: dict[str, float] = {}
    async with asyncio.timeout(600):
        async for name in _added(client, path):
            found.setdefault(name, (datetime.now(UTC) - minute).total_seconds())
            if len(found) == SCHEDULES:
                break
    return sorted(found.values())


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


def _summary(late: list[float]) -> tuple[float, float, float]:
    def at(share: float) -> float:
        return late[min(len(late) - 1, math.ceil(share * len(late)) - 1)]

    return at(0.5), at(0.99), late[-1]
