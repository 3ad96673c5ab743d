"""Jobs that wait for Jobs, against the real API server."""

import asyncio

import pytest

from coxswain.api.conditions import ConditionType
from tests.support import pods
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.workspace import Ledger, Workspace, reason

pytestmark = pytest.mark.usefixtures("operator")


async def test_a_chain_runs_in_its_order_whatever_order_it_was_made_in(
    workspace: Workspace,
) -> None:
    order: list[str] = []

    async def notes(pod: FakePod) -> None:
        order.append(pod.raw["metadata"]["labels"]["coxswain.dev/job"])
        await pods.succeeds(pod)

    await workspace.has_agent()
    async with Kubelet(workspace.client, notes, namespace=workspace.namespace):
        await workspace.has_job("write", dependsOn=[{"name": "transform"}, {"name": "fetch"}])
        await workspace.job_waits(ConditionType.DEPENDENCIES_MET, "write")
        waits = await workspace.job("write")
        assert reason(waits, ConditionType.DEPENDENCIES_MET) == "DependencyMissing"
        await workspace.has_job("transform", dependsOn=[{"name": "fetch"}])
        await workspace.has_job("fetch")
        ended = await workspace.job_ends("write")
    assert ended.status.phase == "Succeeded"
    assert order == ["fetch", "transform", "write"]


async def test_a_failure_goes_down_the_edges_that_do_not_ignore_it(workspace: Workspace) -> None:
    async def fails_first(pod: FakePod) -> None:
        is_first = pod.raw["metadata"]["labels"]["coxswain.dev/job"] == "fetch"
        await (pods.fails(3)(pod) if is_first else pods.succeeds(pod))

    await workspace.has_agent()
    async with Kubelet(workspace.client, fails_first, namespace=workspace.namespace):
        await workspace.has_job("report", dependsOn=[{"name": "fetch", "onFailure": "Ignore"}])
        await workspace.has_job("write", dependsOn=[{"name": "transform"}])
        await workspace.has_job("transform", dependsOn=[{"name": "fetch"}])
        await workspace.has_job("fetch")
        failed = await workspace.job_ends("write")
        told = await workspace.job_ends("report")
    assert (failed.status.phase, failed.status.transitions[-1].reason) == (
        "Failed",
        "DependencyFailed",
    )
    assert failed.status.attempts == []
    assert told.status.phase == "Succeeded"


async def test_jobs_in_a_circle_all_end_and_the_circle_is_named(workspace: Workspace) -> None:
    await workspace.has_agent()
    circle = {"a1": "a2", "a2": "a3", "a3": "a1"}
    for name, other in circle.items():
        await workspace.has_job(name, dependsOn=[{"name": other}])
    ended = [await workspace.job_ends(name) for name in circle]
    reasons = {job.status.transitions[-1].reason for job in ended}
    assert "DependencyCycle" in reasons
    assert reasons <= {"DependencyCycle", "DependencyFailed"}
    messages = [each.message for job in ended for each in job.status.conditions]
    assert any("a2 -> a3" in text for text in messages)
    assert await workspace.pods() == []


async def test_a_job_that_ended_and_is_gone_counts_by_its_record(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        first = await workspace.has_job("fetch")
        await workspace.has_job(
            "write", dependsOn=[{"name": "fetch"}, {"name": "late"}], timeoutSeconds=60
        )
        await workspace.job_ends("fetch")
        await ledger.until(first.metadata.uid, "job.succeeded")
        await workspace.delete("jobs", "fetch")
        await ledger.until(first.metadata.uid, "job.deleted")
        await workspace.has_job("late")
        ended = await workspace.job_ends("write")
    assert ended.status.phase == "Succeeded"


async def test_one_job_at_once_does_not_hold_up_those_that_it_waits_for(
    workspace: Workspace,
) -> None:
    await workspace.has_agent(quota={"concurrentJobs": 1})
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        await workspace.has_job("last", dependsOn=[{"name": f"n{n}"} for n in range(5)])
        await asyncio.gather(*(workspace.has_job(f"n{n}") for n in range(5)))
        ended = await workspace.job_ends("last")
    assert ended.status.phase == "Succeeded"
