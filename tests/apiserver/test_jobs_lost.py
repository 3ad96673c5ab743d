"""Pods that are taken away, that starve, that nobody knows the end of."""

import asyncio

import pytest

from tests.support import pods
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod, Script
from tests.support.workspace import Ledger, Workspace, outcomes, phases

pytestmark = pytest.mark.usefixtures("operator")


def _first(script: Script) -> Script:
    """This happens to the first pod; the next one succeeds."""

    async def both(pod: FakePod) -> None:
        await (script(pod) if pod.attempt == 1 else pods.succeeds(pod))

    return both


async def _claimed(ledger: Ledger, pod: FakePod) -> None:
    await pod.starts()
    await ledger.claim(pod)


async def test_a_pod_that_somebody_deletes_is_lost_and_uses_no_attempt(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def runs_on(pod: FakePod) -> None:
        await _claimed(ledger, pod)
        await pod.stopping.wait()

    await workspace.has_agent()
    async with Kubelet(workspace.client, _first(runs_on), namespace=workspace.namespace):
        await workspace.has_job(retry={"maxAttempts": 2, "backoffSeconds": 3600})
        await workspace.job_runs()
        await _is_claimed(workspace, ledger)
        await workspace.delete("pods", (await workspace.pods())[0]["metadata"]["name"])
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Lost/PodLost", "Succeeded/Completed"]
    assert ended.status.attempts_used == 1
    assert phases(ended) == ["Queued", "Running", "Queued", "Running", "Succeeded"]


async def test_a_claimed_pod_that_vanishes_is_lost(workspace: Workspace, ledger: Ledger) -> None:
    async def vanishes(pod: FakePod) -> None:
        await _claimed(ledger, pod)
        await workspace.job_runs()
        await pod.vanishes()

    await workspace.has_agent()
    script = _first(vanishes)
    async with Kubelet(workspace.client, script, namespace=workspace.namespace) as kubelet:
        await workspace.has_job(retry={"maxAttempts": 2})
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Lost/PodLost", "Succeeded/Completed"]
    assert list(kubelet.runs.values()) == [1, 1]


async def test_a_pod_that_vanishes_before_it_claimed_its_run_is_made_again(
    workspace: Workspace,
) -> None:
    seen: list[str] = []

    async def vanishes_once(pod: FakePod) -> None:
        seen.append(pod.uid)
        await (pod.vanishes() if len(seen) == 1 else pods.succeeds(pod))

    await workspace.has_agent()
    async with Kubelet(workspace.client, vanishes_once, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]
    assert ended.status.attempts[0].pod_uid == seen[1]


async def test_an_eviction_for_the_nodes_sake_uses_no_attempt(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def drained(pod: FakePod) -> None:
        await _claimed(ledger, pod)
        await pod.is_disrupted("EvictionByEvictionAPI")

    await workspace.has_agent()
    async with Kubelet(workspace.client, _first(drained), namespace=workspace.namespace):
        await workspace.has_job(retry={"maxAttempts": 2, "backoffSeconds": 0})
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Lost/PodLost", "Succeeded/Completed"]
    assert ended.status.attempts_used == 1


async def test_an_eviction_for_the_pods_own_limit_uses_one(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def fills_the_disk(pod: FakePod) -> None:
        await _claimed(ledger, pod)
        await pod.is_evicted(message="the pod used too much disk")

    await workspace.has_agent()
    async with Kubelet(workspace.client, fills_the_disk, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/Evicted"]
    assert ended.status.attempts_used == 1


async def test_a_pod_that_needs_more_memory_than_its_limit_says_so(workspace: Workspace) -> None:
    await workspace.has_agent()
    script = pods.fails(137, "OOMKilled")
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/OutOfMemory"]
    assert ended.status.attempts[0].exit_code == 137


async def test_a_pod_that_ended_well_before_it_was_deleted_has_succeeded(
    workspace: Workspace,
) -> None:
    async def ends_and_goes(pod: FakePod) -> None:
        await pods.succeeds(pod)
        await pod.vanishes()

    await workspace.has_agent()
    async with Kubelet(workspace.client, ends_and_goes, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert outcomes(ended)[-1] == "Succeeded/Completed"


async def test_pods_that_are_lost_again_and_again_end_the_job(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def drained(pod: FakePod) -> None:
        await _claimed(ledger, pod)
        await pod.is_disrupted()

    await workspace.has_agent()
    async with Kubelet(workspace.client, drained, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert ended.status.phase == "Failed"
    assert len(ended.status.attempts) == 10
    assert ended.status.conditions[-1].reason == "PodLost"


async def _is_claimed(workspace: Workspace, ledger: Ledger) -> None:
    job = await workspace.job()
    async with asyncio.timeout(10):
        while (row := await ledger.run(job)) is None or row.pod_uid is None:  # noqa: ASYNC110 - the pod does it
            await asyncio.sleep(0.05)
