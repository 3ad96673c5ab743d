"""A Job from its creation to its end: attempts, back-off, cancelling, times, results."""

import asyncio
from datetime import datetime, timedelta

import pytest

from coxswain import names
from coxswain.api.conditions import ConditionType
from coxswain.rules import retry
from coxswain.rules.outcome import Ended
from tests.support import pods
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.workspace import Ledger, Workspace, outcomes, phases, reason

pytestmark = pytest.mark.usefixtures("operator")


async def test_a_job_that_fails_is_tried_exactly_as_often_as_it_may(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.fails(3), namespace=workspace.namespace) as kubelet:
        await workspace.has_job(retry={"maxAttempts": 3, "backoffSeconds": 0})
        ended = await workspace.job_ends()
    assert ended.status.phase == "Failed"
    assert outcomes(ended) == ["Failed/ExitCode"] * 3
    assert [each.number for each in ended.status.attempts] == [1, 2, 3]
    assert ended.status.attempts_used == 3
    assert phases(ended) == [*["Queued", "Running"] * 3, "Failed"]
    assert list(kubelet.runs.values()) == [1, 1, 1]
    types = await ledger.until(ended.metadata.uid, "job.failed")
    assert types == [
        "job.created",
        "job.queued",
        *["job.running", "attempt.started", "attempt.ended", "job.retrying"] * 2,
        *["job.running", "attempt.started", "attempt.ended", "job.failed"],
    ]


async def test_the_next_attempt_waits_for_the_back_off(workspace: Workspace) -> None:
    await workspace.has_agent()
    script = pods.fails_until(2)
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        made = await workspace.has_job(retry={"maxAttempts": 2, "backoffSeconds": 8})
        ended = await workspace.job_ends()
    failed = Ended("Failed", "ExitCode")
    seed = names.run_id(made.metadata.uid, 1)
    wait = retry.delay_seconds(failed, made.spec.retry, used=1, seed=seed)
    first, second = ended.status.attempts
    assert first.finished_at is not None
    assert second.started_at is not None
    took = datetime.fromisoformat(second.started_at) - datetime.fromisoformat(first.finished_at)
    # A kubelet tells whole seconds.
    assert took > timedelta(seconds=wait - 1)
    assert ended.status.phase == "Succeeded"
    assert first.exit_code == 1


async def test_a_result_that_says_that_trying_again_is_no_use_ends_the_job(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await ledger.post(pod, status="failed", reason="StepLimit", message="too long")
        await pod.ends(1)

    await workspace.has_agent()
    async with Kubelet(workspace.client, agent, namespace=workspace.namespace):
        await workspace.has_job(retry={"maxAttempts": 3, "backoffSeconds": 0})
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/StepLimit"]


async def test_a_posted_result_wins_over_the_exit_code(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await ledger.post(pod, status="succeeded", answer="done")
        await pod.ends(1)

    await workspace.has_agent()
    async with Kubelet(workspace.client, agent, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]
    assert ended.status.result is not None
    assert ended.status.result.answer == "done"


async def test_a_queued_job_is_cancelled_by_its_spec_without_a_pod(workspace: Workspace) -> None:
    await workspace.has_job(agent="nobody")
    await workspace.job_waits(ConditionType.AGENT_READY)
    await workspace.patch("jobs", "j", {"spec": {"cancel": True}})
    ended = await workspace.job_ends()
    assert phases(ended) == ["Queued", "Cancelled"]
    assert ended.status.attempts == []
    assert await workspace.pods() == []


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"cancel": True}},
        {"metadata": {"annotations": {names.ANNOTATION_CANCEL: '{"by": "Ada", "why": "enough"}'}}},
    ],
    ids=["spec", "annotation"],
)
async def test_a_running_job_is_cancelled_once_its_pod_has_ended(
    workspace: Workspace, ledger: Ledger, change: dict[str, object]
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace):
        await workspace.has_job(retry={"maxAttempts": 3, "backoffSeconds": 0})
        await workspace.job_runs()
        await workspace.patch("jobs", "j", change)
        ended = await workspace.job_ends()
        assert not [each for each in await workspace.pods() if _lives(each)]
    assert phases(ended) == ["Queued", "Running", "Cancelled"]
    assert outcomes(ended) == ["Cancelled/Cancelled"]
    row = await ledger.run(ended)
    assert row is not None
    assert row.closed_reason == "Cancelled/Cancelled"
    types = await ledger.until(ended.metadata.uid, "job.cancelled")
    assert types.count("job.cancelled") == 1
    if "metadata" in change:
        assert "Ada" in (ended.status.attempts[0].message or "")


async def test_a_job_that_waits_for_its_next_attempt_is_cancelled_without_another_pod(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.fails(), namespace=workspace.namespace) as kubelet:
        long = {"maxAttempts": 2, "backoffSeconds": 3600, "maxBackoffSeconds": 3600}
        await workspace.has_job(retry=long)
        await workspace.until(lambda job: phases(job) == ["Queued", "Running", "Queued"])
        await workspace.patch("jobs", "j", {"spec": {"cancel": True}})
        ended = await workspace.job_ends()
        types = await ledger.until(ended.metadata.uid, "job.cancelled")
    assert phases(ended) == ["Queued", "Running", "Queued", "Cancelled"]
    assert outcomes(ended) == ["Failed/ExitCode"]
    assert list(kubelet.runs.values()) == [1]
    assert types[-2:] == ["job.retrying", "job.cancelled"]


async def test_a_job_whose_pod_never_started_is_cancelled_with_its_attempt(
    workspace: Workspace,
) -> None:
    async def stuck(pod: FakePod) -> None:
        await pod.waits("ContainerCreating")
        await pod.stopping.wait()

    await workspace.has_agent()
    async with Kubelet(workspace.client, stuck, namespace=workspace.namespace):
        await workspace.has_job()
        await _pod_is_there(workspace)
        await workspace.patch("jobs", "j", {"spec": {"cancel": True}})
        ended = await workspace.job_ends()
    assert phases(ended) == ["Queued", "Cancelled"]
    assert outcomes(ended) == ["Cancelled/Cancelled"]


async def test_a_node_that_ends_a_pod_at_its_deadline_is_a_timeout(workspace: Workspace) -> None:
    async def late(pod: FakePod) -> None:
        await pod.starts()
        await pod.is_evicted("DeadlineExceeded")

    await workspace.has_agent()
    async with Kubelet(workspace.client, late, namespace=workspace.namespace):
        await workspace.has_job(timeoutSeconds=1)
        ended = await workspace.job_ends()
        assert (await workspace.pods())[0]["spec"]["activeDeadlineSeconds"] >= 1
    assert outcomes(ended) == ["Failed/Timeout"]


async def test_a_pod_that_no_node_ends_is_ended_after_its_timeout(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace):
        await workspace.has_job(timeoutSeconds=1)
        ended = await workspace.job_ends()
        await workspace.until_gone("pods")
    assert outcomes(ended) == ["Failed/Timeout"]
    row = await ledger.run(ended)
    assert row is not None
    assert row.closed_reason == "Failed/Timeout"


@pytest.mark.parametrize("why", ["ImagePull", "Unschedulable"])
async def test_a_pod_that_does_not_start_in_time_fails_with_what_it_waits_for(
    workspace: Workspace, why: str
) -> None:
    async def stuck(pod: FakePod) -> None:
        if why == "ImagePull":
            await pod.waits("ImagePullBackOff", "no such image")
        else:
            await pod.is_unschedulable("0/1 nodes are available")
        await pod.stopping.wait()

    await workspace.has_agent(limits={"startTimeoutSeconds": 10})
    async with Kubelet(workspace.client, stuck, namespace=workspace.namespace):
        await workspace.has_job()
        waiting = await workspace.job_waits(ConditionType.POD_STARTED)
        ended = await workspace.job_ends()
    assert reason(waiting, ConditionType.POD_STARTED) == why
    assert outcomes(ended) == [f"Failed/{why}"]
    assert phases(ended) == ["Queued", "Failed"]
    assert ended.status.attempts_used == 1


async def test_a_job_goes_after_its_time_to_live_and_its_records_stay(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        made = await workspace.has_job(ttlSecondsAfterFinished=1)
        await workspace.until_gone("jobs")
    types = await ledger.until(made.metadata.uid, "job.deleted")
    assert types.count("job.succeeded") == types.count("job.deleted") == 1


async def test_a_deleted_job_ends_its_pod_and_closes_its_run(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace):
        made = await workspace.has_job()
        await workspace.job_runs()
        await workspace.delete("jobs", "j")
        await workspace.until_gone("pods")
        types = await ledger.until(made.metadata.uid, "job.deleted")
    row = await ledger.run(made)
    assert row is not None
    assert row.closed_reason == "Deleted"
    assert types.count("job.deleted") == 1


async def test_a_job_that_is_made_again_under_its_name_is_another_one(
    workspace: Workspace,
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
        former = await workspace.has_job()
        await workspace.job_ends()
        await workspace.delete("jobs", "j")
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert ended.metadata.uid != former.metadata.uid
    assert outcomes(ended) == ["Succeeded/Completed"]
    assert len(kubelet.runs) == 2


async def test_a_pod_of_somebody_else_under_the_derived_name_is_left_alone(
    workspace: Workspace,
) -> None:
    await workspace.has_job(agent="late")
    waiting = await workspace.job_waits(ConditionType.AGENT_READY)
    name = names.attempt_pod("j", waiting.metadata.uid, 1)
    await workspace.has_pod(name)
    foreign = await workspace.pods()
    await workspace.has_agent("late")
    shown = await workspace.until(
        lambda job: any(each.reason == "RetryingAfterError" for each in job.status.conditions)
    )
    told = next(each for each in shown.status.conditions if each.reason == "RetryingAfterError")
    assert "belongs to somebody else" in told.message
    assert [each["metadata"]["uid"] for each in await workspace.pods()] == [
        each["metadata"]["uid"] for each in foreign
    ]
    await workspace.delete("pods", name)
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        ended = await workspace.job_ends()
    assert ended.status.phase == "Succeeded"
    assert not [each for each in ended.status.conditions if each.reason == "RetryingAfterError"]


def _lives(pod: dict[str, object]) -> bool:
    status = pod["status"]
    assert isinstance(status, dict)
    return status.get("phase") not in ("Succeeded", "Failed")


async def _pod_is_there(workspace: Workspace) -> None:
    async with asyncio.timeout(10):
        while not await workspace.pods():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.05)
