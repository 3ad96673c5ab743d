"""The operator as it really runs: its own process, with the chart's rights and no more.

    async with Workspace.onboarded(client, installation) as workspace:    # a fresh one
        with installation.operator(database, folder) as operator:         # python -m coxswain operator
            await workspace.apply(builders.agent("a"))
            ended = await workspace.job_ends("j")

Nothing of it runs inside the test's process: a leader can be killed, frozen and replaced, and what
it asks of the API server is in the audit log under its own name.
"""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import aiohttp

from coxswain import names
from coxswain.errors import ConflictError, NotFoundError
from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools import children
from devtools.controlplane import ControlPlane
from tests.support import chart
from tests.support.audit import Audit
from tests.support.postgres import Database
from tests.support.warm import Process

Body = dict[str, Any]
HOME = chart.RELEASE_NAMESPACE
INSTALLATION = "tests"
NAME = "coxswain"
OPERATOR = f"system:serviceaccount:{HOME}:{NAME}-operator"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLES = ("Role", "ClusterRole", "ClusterRoleBinding", "RoleBinding")
DOORS = ("api", "models", "egress")
Starting = Callable[[dict[str, str], Path], Process]
"""Starts a process with an environment and a log."""


def cold(environment: dict[str, str], log: Path) -> Process:
    """Start an operator as a container does."""
    return children.start([sys.executable, "-m", "coxswain", "operator"], log, environment)


class Started:
    """A process of the platform that may be killed, frozen and started again."""

    def __init__(self, environment: dict[str, str], log: Path, start: Starting) -> None:
        self.log = log
        self._environment = environment
        self._start = start
        self.process = self._started()

    def _started(self) -> Process:
        return self._start({**os.environ, **self._environment}, self.log)

    def change(self, **settings: Any) -> None:
        """Whatever starts in its place from now on has these settings."""
        self._environment |= _variables(settings)

    def crash(self) -> None:
        """Kill it, and start another one in its place, as a kubelet would."""
        self.kill()
        self.process = self._started()

    def kill(self) -> None:
        """End it as a machine would that loses power."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """Stop its time."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had been."""
        self.process.send_signal(signal.SIGCONT)

    @property
    def text(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(errors="replace")


class Operator(Started):
    """One replica of the operator."""

    def restart(self) -> None:
        """End it in order, and start another one in its place."""
        self.terminate()
        self.process = self._started()

    def end(self) -> None:
        """End it in order if it will, so that whoever comes next need not wait for its lease."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.kill()

    def terminate(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=30)

    def cpu_seconds(self) -> float:
        """The time that it has used: its own and the kernel's."""
        return cpu_seconds(self.process.pid)

    async def metrics(self) -> str:
        """What Prometheus would read."""
        return (await self._ask("/metrics"))[1]

    async def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        try:
            return (await self._ask("/readyz"))[0] == 200
        except aiohttp.ClientError:
            return False

    async def _ask(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self._environment['COXSWAIN_HEALTH_PORT']}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status, await response.text()


def _variables(settings: dict[str, Any]) -> dict[str, str]:
    """Settings as a process gets them."""
    return {f"COXSWAIN_{key.upper()}": str(value) for key, value in settings.items()}


def cpu_seconds(pid: int) -> float:
    """The time that a process has used: its own and the kernel's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Installation:
    """The chart's roles in a control plane, and a kubeconfig of the operator's account."""

    plane: ControlPlane
    objects: list[Body]
    audit: Audit
    name: str = NAME
    """How the names of its objects begin."""
    start: Starting = cold

    @cached_property
    def kubeconfig(self) -> Path:
        """The operator's account, by client certificate."""
        return self.plane.kubeconfig_for(f"system:serviceaccount:{HOME}:{self.name}-operator")

    @contextmanager
    def operator(
        self, database: Database, folder: Path, name: str = "one", **settings: Any
    ) -> Iterator[Operator]:
        """A replica for the length of a block."""
        wanted = {
            "database_dsn": database.operator,
            "agent_image": "localhost/agent:test",
            "bind": "127.0.0.1",
            "health_port": children.free_port(),
            "kubeconfig": self.kubeconfig,
            "installation": INSTALLATION,
            "mode": "dev",
            "namespace": HOME,
            "identity": name,
            "log_format": "compact",
            "lease_seconds": 3,
            "lock_file": folder / f"lock-{name}",
            "network_probe": False,
            "lease_name": f"{self.name}-operator",
            **{f"{door}_service": f"{self.name}-{door}" for door in DOORS},
            **settings,
        }
        log = folder / f"operator-{name}-{uuid.uuid4().hex[:6]}.log"
        started = Operator(_variables(wanted), log, self.start)
        try:
            yield started
        except BaseException:
            sys.stderr.write(f"--- {log.name}\n{children.tail(log, 60)}\n")
            raise
        finally:
            started.thaw()
            started.end()

    @asynccontextmanager
    async def without_rights(self, client: Client, namespace: str) -> AsyncIterator[None]:
        """Somebody takes the operator's rights in a workspace away, and gives them back."""
        path = f"{RBAC}/namespaces/{namespace}/rolebindings"
        for each in (await client.get(path))["items"]:
            metadata = each["metadata"]
            if metadata["name"].startswith(f"{self.name}-operator"):
                await client.delete(f"{path}/{metadata['name']}", uid=metadata["uid"])
        try:
            yield
        finally:
            await self.bind(client, namespace)

    async def bind(self, client: Client, namespace: str) -> None:
        """Give the accounts their rights in a workspace, as the chart does."""
        for kind in ("Role", "RoleBinding"):
            for each in chart.of_kind(self.objects, kind):
                metadata = each["metadata"]
                if metadata["namespace"] == "demo":
                    moved = {**each, "metadata": {**metadata, "namespace": namespace}}
                    await make(client, f"{RBAC}/namespaces/{namespace}/{kind.lower()}s", moved)


def install(
    plane: ControlPlane, *values: Path, name: str = NAME, start: Starting = cold
) -> Installation:
    """Put the chart's roles and the doors' Services into a control plane; ``start`` its operators."""
    objects = chart.render(chart.WORKSPACES, *values)
    asyncio.run(_install(plane, objects, name))
    return Installation(plane, objects, Audit.of(plane), name, start)


async def _install(plane: ControlPlane, objects: list[Body], name: str) -> None:
    client = await Client.connect(plane.kubeconfig)
    try:
        await _make_all(client, objects, name)
    finally:
        await client.close()


async def _make_all(client: Client, objects: list[Body], name: str) -> None:
    await make(client, paths.collection("namespaces"), {"metadata": {"name": HOME}})
    for each in objects:
        metadata = each["metadata"]
        if each["kind"] not in ROLES or metadata.get("namespace", HOME) != HOME:
            continue
        where = f"/namespaces/{HOME}" if "namespace" in metadata else ""
        await make(client, f"{RBAC}{where}/{each['kind'].lower()}s", each)
    for door in DOORS:
        service = chart.find(objects, "Service", f"{name}-{door}")
        await make(client, paths.collection("services", HOME), service)


@asynccontextmanager
async def onboarded(
    client: Client, installation: Installation, namespace: str, **hard: str
) -> AsyncIterator[str]:
    """Make a workspace of a namespace: rights, policy, quotas. At the end nothing lives in it.

    ``hard`` are bounds of the quota for pods; without any there is room for all.
    """
    await installation.bind(client, namespace)
    await furnish(client, namespace, **hard)
    try:
        yield namespace
    finally:
        await clear(client, namespace)


async def furnish(client: Client, namespace: str, **hard: str) -> None:
    """Give a workspace its policy and its quotas, as the chart does."""
    policy = {"metadata": {"name": names.NETWORK_POLICY}, "spec": {"podSelector": {}}}
    await make(client, paths.collection("networkpolicies", namespace), policy)
    for name in (names.POD_QUOTA, names.STORAGE_QUOTA):
        bounds = hard if hard and name == names.POD_QUOTA else {"pods": "100000"}
        quota = {"metadata": {"name": name}, "spec": {"hard": bounds}}
        await make(client, paths.collection("resourcequotas", namespace), quota)
        if not hard:
            # No quota controller runs here, so the first status is written by hand.
            status = {"hard": bounds, "used": {"pods": "0"}}
            path = paths.of("resourcequotas", namespace, name, "status")
            await client.patch(path, {"status": status})


async def clear(client: Client, namespace: str) -> None:
    """Delete what a test has left, so that the next operator has nothing to do with it."""
    for plural in ("schedules", "jobs", "leases", "agents", "pods"):
        found = await client.get(paths.collection(plural, namespace))
        for each in found["items"]:
            metadata = each["metadata"]
            path = paths.of(plural, namespace, metadata["name"])
            try:
                await client.delete(path, uid=metadata["uid"], grace_seconds=0)
            except (ConflictError, NotFoundError):
                continue


async def make(client: Client, path: str, body: Body) -> None:
    """Create, unless it is there."""
    try:
        await client.create(path, body)
    except ConflictError:
        return
