"""Who is measured side by side: our operator, and the Job controller of Kubernetes.

Each is one workspace in an API server: what a Job looks like there, when it has ended, and the
controller as a process that can be started and stopped. Both have the same quotas and policy, so that
admission costs both the same.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from coxswain import names
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.sandbox import pod
from coxswain.store.pool import Connection
from devtools.controlplane import ControlPlane
from tests.support import apiserver, builders, leader, postgres
from tests.support.kubelet import OURS
from tests.support.leader import Operator
from tests.support.postgres import Database, Server
from tests.support.workspace import Workspace

Body = dict[str, Any]
CONTROLLERS = "kube-controller-manager"
# No limit of its own stands in the way of the peer.
UNBOUND = ("--kube-api-qps=5000", "--kube-api-burst=10000", "--concurrent-job-syncs=50")
FLAGS = ("--max-requests-inflight=1000", "--max-mutating-requests-inflight=1000")
MOST_AT_ONCE = 1000
BATCH_LABEL = "bench"
RECORD_SECONDS, LOOK_SECONDS = 30.0, 0.25


class Side(Protocol):
    """One of them."""

    @property
    def name(self) -> str:
        """Of its column."""
        ...

    @property
    def user(self) -> str:
        """The call by which a user makes a Job, as the API server counts it."""
        ...

    @property
    def path(self) -> str:
        """The collection of its Jobs."""
        ...

    @property
    def namespace(self) -> str:
        """Where they are."""
        ...

    @property
    def selector(self) -> str:
        """Its pods."""
        ...

    @property
    def database(self) -> Database | None:
        """Where agents claim their runs, if they do."""
        ...

    def families(self) -> Mapping[str, int]:
        """Processes that work for it beside controller and API server, each with its children."""
        ...

    def job(self, name: str) -> Body:
        """What a user would write."""
        ...

    def has_ended(self, raw: Body) -> bool:
        """Whether a Job has ended well. Raises AssertionError where it ended in another way."""
        ...

    async def prepare(self, client: Client) -> None:
        """Make the workspace, before its controller runs for the first time."""
        ...

    async def ready(self, client: Client) -> None:
        """Wait until Jobs can be made, once its controller runs."""
        ...

    def working(self) -> AbstractContextManager[int]:
        """Its controller at work for the length of a block; the process."""
        ...

    async def check(self, jobs: int) -> None:
        """Wait until so many ended Jobs left behind what they should, for a while."""
        ...


def plane(folder: Path) -> ControlPlane:
    """An API server that nothing else asks for anything; it runs while it is entered."""
    # As in production: without it the history of some ten thousand Jobs would fill etcd.
    return ControlPlane(folder, no_compaction=False, apiserver_args=FLAGS)


class Ours:
    """Our operator and its Postgres, an Agent with room for all Jobs."""

    name = "Coxswain"
    user = "POST jobs.coxswain.dev"
    namespace = "ours"
    path = paths.collection("jobs", namespace)
    selector = OURS
    database: Database

    def __init__(self, plane: ControlPlane, server: Server, database: Database, logs: Path) -> None:
        self.database = database
        self._server = server
        self._logs = logs
        self._installation = leader.install(plane)

    def families(self) -> Mapping[str, int]:
        """Postgres."""
        assert self._server.pid is not None, "the CPU of a server elsewhere cannot be seen"
        return {"Postgres": self._server.pid}

    def job(self, name: str) -> Body:
        """A command."""
        return builders.job(name, "a").with_command("true").in_namespace(self.namespace).manifest

    def has_ended(self, raw: Body) -> bool:
        """By its phase."""
        phase = raw.get("status", {}).get("phase")
        assert phase not in ("Failed", "Cancelled", "Review"), raw
        return bool(phase == "Succeeded")

    async def prepare(self, client: Client) -> None:
        """An onboarded workspace."""
        await apiserver.onboard(client, self.namespace)
        await self._installation.bind(client, self.namespace)
        await leader.furnish(client, self.namespace)

    async def ready(self, client: Client) -> None:
        """With an Agent that is ready."""
        await Workspace(client, self.namespace).has_agent(quota={"concurrentJobs": MOST_AT_ONCE})

    @contextmanager
    def working(self) -> Iterator[int]:
        """The operator, as it really runs; at the end it lets go of its lease."""
        with self.replica("one") as operator:
            yield operator.process.pid

    def replica(self, name: str) -> AbstractContextManager[Operator]:
        """One of several, with the times of a real election."""
        return self._installation.operator(self.database, self._logs, name, lease_seconds=15)

    async def check(self, jobs: int) -> None:
        """The records of each Job are there, once."""
        wanted = {"ended": jobs, "mirrored": jobs}
        deadline = time.monotonic() + RECORD_SECONDS
        async with postgres.opened(self.database.operator) as store:
            while (found := await store.run(_records)) != wanted:
                assert time.monotonic() < deadline, f"of {jobs} Jobs: {found}"
                await asyncio.sleep(LOOK_SECONDS)


async def _records(connection: Connection) -> dict[str, int]:
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM events WHERE type = 'job.succeeded') AS ended,"
        " (SELECT count(*) FROM mirror WHERE kind = 'Job' AND phase = 'Succeeded') AS mirrored"
    )
    assert row is not None
    return dict(row)


class Batch:
    """The Job controller. A Job carries its pod's template; ``spec`` is that pod's."""

    user = "POST jobs.batch"
    namespace = "batch"
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    selector = f"{BATCH_LABEL}=peer"
    database = None

    def __init__(self, plane: ControlPlane, name: str, spec: Body) -> None:
        self.name = name
        self._plane = plane
        template = {"metadata": {"labels": {BATCH_LABEL: "peer"}}, "spec": spec}
        self._spec: Body = {"backoffLimit": 0, "template": template}

    def families(self) -> Mapping[str, int]:
        """Nobody."""
        return {}

    def job(self, name: str) -> Body:
        """One pod that is not tried again."""
        return {"metadata": {"name": name}, "spec": self._spec}

    def has_ended(self, raw: Body) -> bool:
        """By its condition."""
        found = raw.get("status", {}).get("conditions") or []
        true = {each["type"] for each in found if each["status"] == "True"}
        assert "Failed" not in true, raw
        return "Complete" in true

    async def prepare(self, client: Client) -> None:
        """The same workspace as ours."""
        await apiserver.onboard(client, self.namespace)
        await leader.furnish(client, self.namespace)

    async def ready(self, client: Client) -> None:
        """It waits for nothing."""

    @contextmanager
    def working(self) -> Iterator[int]:
        """The controller alone, as its own account."""
        self._plane.start_controllers(["job"], UNBOUND)
        try:
            yield self._plane.pid(CONTROLLERS)
        finally:
            self._plane.stop_controllers()

    async def check(self, jobs: int) -> None:
        """It keeps no records."""


def same_pod() -> Body:
    """The spec of the pod that our operator makes for a Job of ours."""
    agent = builders.agent("a").with_spec(quota={"concurrentJobs": MOST_AT_ONCE})
    job = builders.job("j", "a").with_command("true")
    spec: Body = pod.build(builders.pod_request(agent.parsed, job.parsed), builders.platform())[
        "spec"
    ]
    return spec


def small_pod() -> Body:
    """The least that a restricted namespace takes."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "c", "image": "localhost/agent:test", "securityContext": security}
    account = names.AGENT_SERVICE_ACCOUNT
    return {"restartPolicy": "Never", "serviceAccountName": account, "containers": [container]}


SAME = "batch Job"
SMALL = "batch Job, small pod"


@contextmanager
def started(name: str, server: Server, folder: Path) -> Iterator[tuple[Side, ControlPlane]]:
    """A side in an API server of its own."""
    with plane(folder) as running:
        asyncio.run(apiserver.install_kinds(running.kubeconfig))
        if name != Ours.name:
            yield Batch(running, name, same_pod() if name == SAME else small_pod()), running
            return
        database = server.create()
        try:
            yield Ours(running, server, database, folder), running
        finally:
            server.drop(database)
