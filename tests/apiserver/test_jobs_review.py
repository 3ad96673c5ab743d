"""Jobs in Review, suspended Jobs, and pods that are kept for a while, against the real API server."""

import asyncio
import json
from uuid import uuid4

import pytest

from coxswain import names
from coxswain.api.conditions import ConditionType, find
from coxswain.api.job import JobPhase
from coxswain.store import reports
from tests.support import pods
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.workspace import Ledger, Workspace, outcomes, phases, reason

pytestmark = pytest.mark.usefixtures("operator")


def _word(attempt: int, decision: str) -> dict[str, object]:
    word = {"attempt": attempt, "decision": decision, "by": "ada", "why": "looked"}
    return {"metadata": {"annotations": {names.ANNOTATION_REVIEW: json.dumps(word)}}}


async def test_after_an_act_that_began_a_person_decides_and_nobody_else(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def dies_in_an_act(pod: FakePod) -> None:
        if pod.attempt == 2:
            return await pods.succeeds(pod)
        await pod.starts()
        await ledger.claim(pod)
        await ledger.store.transact(reports.begin_act, pod.uid, uuid4(), "send mail")
        await workspace.job_runs()
        await pod.vanishes()
        return None

    await workspace.has_agent()
    async with Kubelet(workspace.client, dies_in_an_act, namespace=workspace.namespace):
        await workspace.has_job()
        held = await workspace.until(lambda job: job.status.phase is JobPhase.REVIEW)
        assert outcomes(held) == ["Failed/OutcomeUnknown"]
        assert reason(held, ConditionType.READY) == "OutcomeUnknown"
        assert "send mail" in (held.status.attempts[0].message or "")
        await workspace.patch("jobs", "j", _word(2, "retry"))
        ignored = await workspace.until(
            lambda job: "counts no more" in str(find(job.status.conditions, ConditionType.READY))
        )
        assert ignored.status.phase is JobPhase.REVIEW
        await workspace.patch("jobs", "j", _word(1, "retry"))
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/OutcomeUnknown", "Succeeded/Completed"]
    assert phases(ended) == ["Queued", "Running", "Review", "Queued", "Running", "Succeeded"]
    types = await ledger.until(ended.metadata.uid, "job.succeeded")
    assert types == [
        *("job.created", "job.queued", "job.running", "attempt.started", "attempt.ended"),
        *("job.review", "job.retrying", "job.running", "attempt.started", "attempt.ended"),
        "job.succeeded",
    ]


async def test_a_job_that_wants_a_persons_word_holds_no_slot_while_it_waits(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent(quota={"concurrentJobs": 1})
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        await workspace.has_job(review={"required": True})
        await workspace.until(lambda job: job.status.phase is JobPhase.REVIEW)
        await workspace.has_job("other")
        assert (await workspace.job_ends("other")).status.phase == "Succeeded"
        await workspace.patch("jobs", "j", _word(1, "succeed"))
        ended = await workspace.job_ends()
    assert phases(ended) == ["Queued", "Running", "Review", "Succeeded"]
    assert ended.status.transitions[-1].message == "succeed, decided by ada: looked"
    await ledger.until(ended.metadata.uid, "job.succeeded")
    told = (await ledger.events(ended.metadata.uid))[-1].event.details
    assert told["message"] == "succeed, decided by ada: looked"


async def test_a_suspended_job_lets_others_go_first_and_starts_when_it_may(
    workspace: Workspace,
) -> None:
    await workspace.has_agent(quota={"concurrentJobs": 1})
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        await workspace.has_job(suspend=True)
        waits = await workspace.until(
            lambda job: find(job.status.conditions, ConditionType.SUSPENDED) is not None
        )
        assert waits.status.phase == "Queued"
        await workspace.has_job("younger")
        await workspace.job_ends("younger")
        assert (await workspace.job()).status.attempts == []
        await workspace.patch("jobs", "j", {"spec": {"suspend": False}})
        ended = await workspace.job_ends()
    assert ended.status.phase == "Succeeded"


async def test_a_failed_pod_goes_after_its_time_and_its_job_stays(workspace: Workspace) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.fails(3), namespace=workspace.namespace):
        await workspace.has_job(retain={"failedPodSeconds": 2})
        await workspace.has_job("kept")
        await workspace.job_ends()
        await workspace.job_ends("kept")
        async with asyncio.timeout(20):
            while len(await workspace.pods()) > 1:  # noqa: ASYNC110 - the operator deletes it
                await asyncio.sleep(0.1)
        assert (await workspace.job()).status.phase == "Failed"
    (left,) = await workspace.pods()
    assert left["metadata"]["labels"][names.LABEL_JOB] == "kept"
