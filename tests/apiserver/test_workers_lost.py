"""Three kinds of dead worker: its pod is killed, its heartbeat is silent, its node is out of reach."""

import asyncio
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType
from coxswain.errors import ConflictError
from coxswain.store import claims
from coxswain.store.pool import Connection
from tests.support import pods
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.workspace import Ledger, Workspace, outcomes, reason

pytestmark = pytest.mark.usefixtures("operator")

OUT_OF_REACH = {"type": "Ready", "status": "False", "lastTransitionTime": pods.now()}


async def _falls_silent(ledger: Ledger, pod: FakePod) -> None:
    """As if its last heartbeat had been ten minutes ago."""

    async def silent(connection: Connection) -> None:
        await connection.execute(
            "UPDATE runs SET heartbeat_at = now() - interval '10 minutes' WHERE pod_uid = $1",
            pod.uid,
        )

    await ledger.store.transact(silent)


async def _touch(workspace: Workspace, value: str) -> None:
    """Have the operator look at the Job now."""
    await workspace.patch("jobs", "j", {"metadata": {"annotations": {"looked": value}}})


async def _writes_nothing(ledger: Ledger, pod: FakePod) -> None:
    with pytest.raises(ConflictError) as refused:
        await ledger.post(pod, status="succeeded", answer="too late")
    assert refused.value.code == "run_closed"


async def test_a_killed_pod_can_write_nothing_once_another_attempt_runs(
    workspace: Workspace, ledger: Ledger
) -> None:
    former: list[FakePod] = []

    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        if pod.attempt == 1:
            former.append(pod)
            await workspace.job_runs()
            await pod.vanishes()
            return
        await _writes_nothing(ledger, former[0])
        await ledger.post(pod, status="succeeded", answer="the second")
        await pod.ends()

    await workspace.has_agent()
    async with Kubelet(workspace.client, agent, namespace=workspace.namespace) as kubelet:
        await workspace.has_job()
        ended = await workspace.job_ends()
        assert not kubelet.faults
    assert outcomes(ended) == ["Lost/PodLost", "Succeeded/Completed"]
    assert ended.status.result is not None
    assert ended.status.result.answer == "the second"


async def test_a_silent_heartbeat_on_a_node_that_is_well_is_said_and_ends_nothing(
    workspace: Workspace, ledger: Ledger
) -> None:
    go_on = asyncio.Event()

    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await workspace.job_runs()
        await _falls_silent(ledger, pod)
        await go_on.wait()
        await ledger.store.transact(claims.heartbeat, pod.uid)
        await _touch(workspace, "again")
        await workspace.until(lambda job: reason(job, ConditionType.READY) == "Running")
        await ledger.post(pod, status="succeeded")
        await pod.ends()

    await workspace.has_agent()
    async with Kubelet(workspace.client, agent, namespace=workspace.namespace) as kubelet:
        await workspace.has_job()
        await workspace.job_runs()
        await _until_silent(workspace)
        go_on.set()
        ended = await workspace.job_ends()
        assert not kubelet.faults
    assert outcomes(ended) == ["Succeeded/Completed"]


async def test_a_worker_out_of_reach_is_fenced_and_nobody_follows_before_it_is_gone(
    workspace: Workspace, ledger: Ledger
) -> None:
    lost: list[FakePod] = []

    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        if pod.attempt > 1:
            await ledger.post(pod, status="succeeded")
            return await pod.ends()
        await workspace.job_runs()
        await _falls_silent(ledger, pod)
        lost.append(pod)
        await asyncio.Event().wait()
        return None

    await workspace.has_agent()
    kubelet = Kubelet(workspace.client, agent, namespace=workspace.namespace)
    async with kubelet:
        await workspace.has_job()
        async with asyncio.timeout(20):
            while not lost:  # noqa: ASYNC110 - the pod does it
                await asyncio.sleep(0.05)
        kubelet.die()
        await lost[0].report({"phase": "Running", **_unready()})
        waits = await workspace.until(lambda job: "Lost/WorkerLost" in outcomes(job))
        assert waits.status.attempts_used == 0
        await workspace.job_waits(ConditionType.SANDBOX_READY)
        assert reason(await workspace.job(), ConditionType.SANDBOX_READY) == "FormerPodEnding"
        assert len(await workspace.pods()) == 1
        await _writes_nothing(ledger, lost[0])
        await lost[0].vanishes()
        await kubelet.revive()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Lost/WorkerLost", "Succeeded/Completed"]


async def _until_silent(workspace: Workspace) -> None:
    async with asyncio.timeout(20):
        looks = 0
        while reason(await workspace.job(), ConditionType.READY) != "HeartbeatSilent":
            looks += 1
            await _touch(workspace, str(looks))
            await asyncio.sleep(0.2)


def _unready() -> dict[str, Any]:
    return {"conditions": [OUT_OF_REACH]}
