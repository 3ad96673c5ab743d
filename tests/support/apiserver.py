"""A real API server with our kinds installed: fixtures of the apiserver tier.

One control plane per test process, one fresh onboarded namespace per test. There is no kubelet and,
unless a test asks for one, no controller; `tests.support.kubelet` plays the kubelet.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from coxswain import names
from coxswain.api import manifest
from coxswain.errors import TransientError
from coxswain.kube import paths
from coxswain.kube.client import APPLY_PATCH, Client
from devtools.controlplane import ControlPlane
from tests.support import audit
from tests.support.audit import Audit

Body = dict[str, Any]
RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "latest",
}
STRICT = {"fieldManager": "tests", "fieldValidation": "Strict"}
PRIORITY_CLASS = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": names.AGENT_PRIORITY_CLASS},
    "value": -1000,
    "preemptionPolicy": "Never",
}


@contextmanager
def running(
    folder: Path, *, controllers: Sequence[str] = (), apiserver_args: Sequence[str] = ()
) -> Iterator[ControlPlane]:
    """A control plane that knows our kinds and the priority class of agent pods."""
    asked = [*audit.flags(folder, audit.ACCOUNTS), *apiserver_args]
    with ControlPlane(folder, controllers=controllers, apiserver_args=asked) as plane:
        asyncio.run(install_kinds(plane.kubeconfig))
        yield plane
    audit.keep(Audit.of(plane).log)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The one control plane of this test process."""
    with running(tmp_path_factory.mktemp("plane")) as started:
        yield started


@pytest_asyncio.fixture
async def client(plane: ControlPlane) -> AsyncIterator[Client]:
    """An administrator's client."""
    connected = await Client.connect(plane.kubeconfig)
    yield connected
    await connected.close()


@pytest_asyncio.fixture
async def namespace(client: Client) -> str:
    """A fresh workspace: Pod Security restricted, and the account of agent pods."""
    return await onboard(client, a_name())


def a_name() -> str:
    """A name that no other workspace has."""
    return f"t-{uuid.uuid4().hex[:10]}"


async def onboard(client: Client, name: str) -> str:
    """Make a namespace the way its owner and the chart would, without quotas and policy."""
    namespace = {"metadata": {"name": name, "labels": RESTRICTED}}
    await client.create(paths.collection("namespaces"), namespace)
    account = {"metadata": {"name": names.AGENT_SERVICE_ACCOUNT}}
    await client.create(paths.collection("serviceaccounts", name), account)
    return name


async def apply(client: Client, namespace: str, body: Body) -> Body:
    """Server-side apply of an Agent or Job, as strict as kubectl."""
    plural = {kind.name: kind.plural for kind in manifest.KINDS}[body["kind"]]
    path = paths.of(plural, namespace, body["metadata"]["name"])
    return await client.patch(path, body, APPLY_PATCH, {**STRICT, "force": "true"})


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float = 20.0) -> None:
    """Wait for something that another process brings about."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await holds():
        assert loop.time() < deadline, f"it did not come true within {seconds:g} s"
        await asyncio.sleep(0.05)


async def install_kinds(kubeconfig: Path) -> None:
    """Put our CRDs and the priority class into a cluster."""
    client = await Client.connect(kubeconfig)
    try:
        for kind in manifest.KINDS:
            collection = paths.collection("customresourcedefinitions")
            await client.create(
                collection, manifest.definition(kind), {"fieldValidation": "Strict"}
            )
        await client.create("/apis/scheduling.k8s.io/v1/priorityclasses", PRIORITY_CLASS)
        for kind in manifest.KINDS:
            await eventually(partial(_is_served, client, kind.plural))
            # Established, its storage may still be on the way: lists answer 429 until then.
            await eventually(partial(_answers, client, kind.plural))
    finally:
        await client.close()


async def _is_served(client: Client, plural: str) -> bool:
    path = paths.of("customresourcedefinitions", None, f"{plural}.{names.GROUP}")
    conditions = (await client.get(path)).get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


async def touch_kinds(client: Client) -> None:
    """Change every CRD, as an upgrade of them does; for a moment the kinds are not served."""
    for kind in manifest.KINDS:
        path = paths.of("customresourcedefinitions", None, f"{kind.plural}.{names.GROUP}")
        await client.patch(path, {"metadata": {"annotations": {"touched": uuid.uuid4().hex}}})
    await until_served(client)


async def until_served(client: Client) -> None:
    """Wait until the kinds answer, and go on doing so."""
    for _ in range(5):
        for kind in manifest.KINDS:
            await eventually(partial(_answers, client, kind.plural))
        await asyncio.sleep(0.2)


async def _answers(client: Client, plural: str) -> bool:
    try:
        await client.get(paths.collection(plural))
    except TransientError:
        return False
    return True
