"""Two hundred Jobs at once: our operator beside the Kubernetes Job controller, in the same run.

Both have the same API server, the same fake kubelet and the same kind of pod, and take turns
(A B B A), so that what else the machine does hits both. Run it with hack/bench.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coxswain import names
from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.support import apiserver, audit, leader, postgres
from tests.support.kubelet import Kubelet
from tests.support.leader import OPERATOR, Installation, Operator
from tests.support.pods import FakePod
from tests.support.postgres import Database, Server
from tests.support.workspace import Ledger, Workspace

JOBS = int(os.environ.get("COXSWAIN_BENCH_JOBS", "200"))
PEER = "system:serviceaccount:kube-system:job-controller"
BATCH = "/apis/batch/v1/namespaces/{namespace}/jobs"
RATES = ["--kube-api-qps=5000", "--kube-api-burst=10000", "--concurrent-job-syncs=32"]
Body = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What one run came to."""

    seconds: float
    cpu_seconds: float
    database_cpu_seconds: float
    calls: Counter[str]

    def __add__(self, other: "Measured") -> "Measured":
        return Measured(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            self.database_cpu_seconds + other.database_cpu_seconds,
            self.calls + other.calls,
        )


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with the Job controller, its limits out of the way."""
    folder = tmp_path_factory.mktemp("bench")
    asked = audit.flags(folder, [OPERATOR, PEER])
    with ControlPlane(
        folder, controllers=["job"], controller_args=RATES, apiserver_args=asked
    ) as started:
        asyncio.run(apiserver.install_kinds(started.kubeconfig))
        yield started


async def test_two_hundred_jobs_at_once(
    plane: ControlPlane, client: Client, postgres: Server, database: Database, tmp_path: Path
) -> None:
    installation = await asyncio.to_thread(leader.install, plane)
    ours, theirs = [], []
    with installation.operator(database, tmp_path, lease_seconds=15) as operator:
        async with _ready(client, installation):
            for arm in "ABBA":
                if arm == "A":
                    bench = Ours(client, installation, operator, postgres, database)
                    ours.append(await bench.run())
                else:
                    theirs.append(await Theirs(client, plane).run())
    _print(ours[0] + ours[1], theirs[0] + theirs[1])


@asynccontextmanager
async def _ready(client: Client, installation: Installation) -> AsyncIterator[None]:
    """Wait until the operator leads, so that its start is no part of the measure."""
    namespace = await apiserver.onboard(client, "warm")
    async with leader.onboarded(client, installation, namespace):
        await Workspace(client, namespace).has_agent()
        yield


@dataclass
class Ours:
    """Jobs of ours, to their end and until their records are written."""

    client: Client
    installation: Installation
    operator: Operator
    server: Server
    database: Database

    async def run(self) -> Measured:
        namespace = await apiserver.onboard(self.client, f"ours-{time.monotonic_ns()}")
        async with (
            leader.onboarded(self.client, self.installation, namespace),
            postgres.opened(self.database.sidecar) as store,
        ):
            workspace, ledger = Workspace(self.client, namespace), Ledger(store)
            await workspace.has_agent(quota={"concurrentJobs": 1000})

            async def agent(pod: FakePod) -> None:
                await pod.starts()
                await ledger.claim(pod)
                await ledger.post(pod, status="succeeded", answer="42")
                await pod.ends()

            before = self._spent()
            known = self.installation.audit.counts(OPERATOR, namespace)
            async with Kubelet(self.client, agent, namespace=namespace) as kubelet:
                began = time.monotonic()
                await asyncio.gather(*(workspace.has_job(f"j{n:04}") for n in range(JOBS)))
                await _all_ended(self.client, paths.collection("jobs", namespace), _is_ours_done)
                seconds = time.monotonic() - began
            assert set(kubelet.runs.values()) == {1}
            assert len(kubelet.runs) == JOBS
            await asyncio.sleep(2)
            after = self._spent()
            calls = self.installation.audit.counts(OPERATOR, namespace) - known
        return Measured(seconds, after[0] - before[0], after[1] - before[1], calls)

    def _spent(self) -> tuple[float, float]:
        assert self.server.pid is not None
        return self.operator.cpu_seconds(), _family_seconds(self.server.pid)


@dataclass
class Theirs:
    """Batch jobs of Kubernetes, with a pod of the same shape."""

    client: Client
    plane: ControlPlane

    async def run(self) -> Measured:
        namespace = await apiserver.onboard(self.client, f"theirs-{time.monotonic_ns()}")
        path = BATCH.format(namespace=namespace)
        log = audit.Audit.of(self.plane)
        pid = self.plane.pid("kube-controller-manager")
        before = leader.cpu_seconds(pid)
        async with Kubelet(self.client, namespace=namespace, selector="bench=theirs") as kubelet:
            began = time.monotonic()
            await asyncio.gather(
                *(self.client.create(path, _batch_job(f"j{n:04}")) for n in range(JOBS))
            )
            await _all_ended(self.client, path, _is_theirs_done)
            seconds = time.monotonic() - began
        assert len(kubelet.runs) == JOBS
        await asyncio.sleep(2)
        calls = log.counts(PEER, namespace)
        return Measured(seconds, leader.cpu_seconds(pid) - before, 0.0, calls)


def _batch_job(name: str) -> Body:
    container = {
        "name": names.AGENT_CONTAINER,
        "image": "localhost/agent:test",
        "resources": {
            "requests": {"cpu": "100m", "memory": "512Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "serviceAccountName": names.AGENT_SERVICE_ACCOUNT,
        "containers": [container],
    }
    template = {"metadata": {"labels": {"bench": "theirs"}}, "spec": spec}
    return {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": template}}


def _is_ours_done(raw: Body) -> bool:
    return bool(raw.get("status", {}).get("phase") == "Succeeded")


def _is_theirs_done(raw: Body) -> bool:
    conditions = raw.get("status", {}).get("conditions") or []
    return any(each["type"] == "Complete" and each["status"] == "True" for each in conditions)


async def _all_ended(client: Client, path: str, is_done: Any) -> None:
    async with asyncio.timeout(300):
        while True:
            found = (await client.get(path))["items"]
            if sum(map(is_done, found)) == JOBS:
                return
            await asyncio.sleep(0.2)


def _family_seconds(pid: int) -> float:
    """The time of a process and of its children."""
    found = leader.cpu_seconds(pid)
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            found += leader.cpu_seconds(int(child))
        except OSError:
            continue
    return found


def _print(ours: Measured, theirs: Measured) -> None:
    runs = 2 * JOBS
    rows: list[tuple[str, float, float]] = [
        ("Jobs per second", runs / ours.seconds, runs / theirs.seconds),
        (
            "CPU ms per Job, controller",
            1000 * ours.cpu_seconds / runs,
            1000 * theirs.cpu_seconds / runs,
        ),
        ("CPU ms per Job, Postgres", 1000 * ours.database_cpu_seconds / runs, 0.0),
        ("API calls per Job", ours.calls.total() / runs, theirs.calls.total() / runs),
    ]
    for call in sorted(ours.calls | theirs.calls):
        rows.append((f"  {call}", ours.calls[call] / runs, theirs.calls[call] / runs))
    print(f"\n{JOBS} Jobs at once, two runs of each, in turns")
    print(f"{'':32}{'ours':>10}{'theirs':>10}{'ratio':>10}")
    for name, mine, other in rows:
        ratio = f"{mine / other:.2f}" if other else "-"
        print(f"{name:32}{mine:10.2f}{other:10.2f}{ratio:>10}")
