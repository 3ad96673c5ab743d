"""A workspace's quota is full: Jobs wait, use nothing, and start by themselves when there is room."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import pytest
import pytest_asyncio

from coxswain import names
from coxswain.api.conditions import ConditionType
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.rules import quota
from coxswain.sandbox import limits, pod
from devtools.controlplane import ControlPlane
from tests.support import apiserver, builders, leader, pods
from tests.support.kubelet import Kubelet
from tests.support.leader import OPERATOR, Installation, Operator, Starting
from tests.support.workspace import Workspace, outcomes, reason

pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of its own: here quotas are counted by their real controller."""
    folder = tmp_path_factory.mktemp("quota-plane")
    with apiserver.running(folder, controllers=["resourcequota"]) as started:
        yield started


@pytest.fixture(scope="module")
def installation(plane: ControlPlane, operators: Starting) -> Installation:
    return leader.install(plane, start=operators)


@pytest_asyncio.fixture
async def workspace(
    client: Client, installation: Installation, namespace: str
) -> AsyncIterator[Workspace]:
    """A workspace with room for two pods."""
    async with leader.onboarded(client, installation, namespace, pods="2"):
        yield Workspace(client, namespace)


async def test_a_job_above_the_quota_waits_and_starts_when_a_pod_has_ended(
    workspace: Workspace, installation: Installation
) -> None:
    await workspace.has_agent(quota={"concurrentJobs": 10})
    async with Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace) as kubelet:
        for name in ("first", "second"):
            await workspace.has_job(name)
            await workspace.job_runs(name)
        await workspace.has_job()
        waiting = await workspace.job_waits(ConditionType.QUOTA_RESERVED)
        assert reason(waiting, ConditionType.QUOTA_RESERVED) == "WorkspaceQuota"
        before = installation.audit.counts(OPERATOR, workspace.namespace)["create pods"]
        await workspace.patch("jobs", "first", {"spec": {"cancel": True}})
        kubelet.script = pods.succeeds
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]
    assert ended.status.attempts_used == 1
    after = installation.audit.counts(OPERATOR, workspace.namespace)["create pods"]
    assert after - before <= 2


async def test_a_quota_that_is_raised_lets_waiting_jobs_start(workspace: Workspace) -> None:
    await workspace.has_agent(quota={"concurrentJobs": 10})
    async with Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace):
        names_of_jobs = [f"j{n}" for n in range(4)]
        await asyncio.gather(*(workspace.has_job(name) for name in names_of_jobs))
        async with asyncio.timeout(20):
            while len(await workspace.pods()) < 2:  # noqa: ASYNC110 - the operator makes them
                await asyncio.sleep(0.05)
        path = paths.of("resourcequotas", workspace.namespace, names.POD_QUOTA)
        await workspace.client.patch(path, {"spec": {"hard": {"pods": "10"}}})
        for name in names_of_jobs:
            await workspace.job_runs(name)


async def test_twenty_jobs_pass_one_by_one_through_a_full_quota(
    workspace: Workspace, operator: Operator
) -> None:
    await workspace.has_agent(quota={"concurrentJobs": 20})
    async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
        jobs = [f"j{n:02}" for n in range(20)]
        await asyncio.gather(*(workspace.has_job(name) for name in jobs))
        ended = [await workspace.job_ends(name, seconds=40) for name in jobs]
    assert {each for job in ended for each in outcomes(job)} == {"Succeeded/Completed"}
    assert all(job.status.attempts_used == 1 for job in ended)
    assert set(kubelet.runs.values()) == {1}


async def test_the_door_beside_an_image_counts_as_we_count_it(workspace: Workspace) -> None:
    namespace, platform = workspace.namespace, builders.platform()
    await _counts(workspace, ("cpu", "memory", "ephemeral-storage"))
    agent = builders.agent().with_image().in_namespace(namespace).parsed
    job = builders.job().with_command("true").in_namespace(namespace).parsed
    manifest = pod.build(builders.pod_request(agent, job), platform)
    await workspace.client.create(paths.collection("pods", namespace), manifest)
    containers = limits.of_pod(agent.spec, platform.settings, has_door=True)
    ours = quota.demand((c.requests for c in containers), (c.limits for c in containers))
    path = paths.of("resourcequotas", namespace, "counts")
    used = quota.amounts((await workspace.client.get(path))["status"]["used"])
    assert used == {name: ours[name] for name in used}
    assert used["limits.cpu"] == Decimal("1.5")


async def _counts(workspace: Workspace, resources: tuple[str, ...]) -> None:
    """A quota that has room for everything, once its controller has seen it."""
    hard = {f"{side}.{name}": "1T" for name in resources for side in ("requests", "limits")}
    path = paths.collection("resourcequotas", workspace.namespace)
    made = {"metadata": {"name": "counts"}, "spec": {"hard": hard}}
    await workspace.client.create(path, made)

    async def is_seen() -> bool:
        found = await workspace.client.get(f"{path}/counts")
        return set((found.get("status") or {}).get("used") or {}) == set(hard)

    await apiserver.eventually(is_seen)
