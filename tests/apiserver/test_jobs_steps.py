"""Jobs of several steps, and Agents that ask people about calls, through kubectl's door."""

from uuid import uuid4

import pytest

from coxswain.api.approval import CallApproval
from coxswain.store import reports
from tests.support import builders
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.workspace import Ledger, Workspace, outcomes

pytestmark = pytest.mark.usefixtures("operator")
STEPS = (
    {"name": "build", "command": ["make"]},
    {"name": "look", "prompt": "Is it good?", "dependsOn": [{"name": "build"}]},
)


async def test_the_run_of_an_attempt_holds_the_steps_as_they_were_applied(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def works(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await ledger.post(pod, status="succeeded", answer="yes")
        await pod.ends(0)

    await workspace.has_agent()
    async with Kubelet(workspace.client, works, namespace=workspace.namespace):
        await workspace.apply(builders.job("j", "a").with_steps(*STEPS))
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]
    run = await ledger.run(ended)
    assert run is not None
    # What the API server set by itself is what an edge says by default.
    look = {**STEPS[1], "dependsOn": [{"name": "build", "onFailure": "Skip"}]}
    assert [step.to_wire() for step in run.document.steps] == [
        {**STEPS[0], "dependsOn": []},
        look,
    ]


async def test_a_pod_that_is_lost_between_two_steps_leads_to_review(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def is_lost(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        begun = "the steps so far"
        await ledger.store.transact(reports.begin_act, pod.uid, uuid4(), begun)
        await workspace.job_runs()
        await pod.vanishes()

    await workspace.has_agent()
    async with Kubelet(workspace.client, is_lost, namespace=workspace.namespace) as kubelet:
        await workspace.apply(builders.job("j", "a").with_steps(*STEPS).with_attempts(3))
        waits = await workspace.until(lambda job: job.status.phase == "Review")
        assert list(kubelet.runs.values()) == [1]
    assert outcomes(waits) == ["Failed/OutcomeUnknown"]
    assert "the steps so far" in (waits.status.attempts[-1].message or "")


async def test_the_run_holds_who_may_agree_to_calls_as_it_was_when_it_began(
    workspace: Workspace, ledger: Ledger
) -> None:
    rule = {"approvers": ["ada"], "timeoutSeconds": 60}

    async def works(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        change = {"spec": {"approvals": {"approvers": ["mallory"]}}}
        await workspace.patch("agents", "a", change)
        await ledger.post(pod, status="succeeded")
        await pod.ends(0)

    await workspace.has_agent(tools={"ask": ["run_command"]}, approvals=rule)
    async with Kubelet(workspace.client, works, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    run = await ledger.run(ended)
    assert run is not None
    assert run.document.ask == ["run_command"]
    assert run.document.approvals == CallApproval(approvers=["ada"], timeout_seconds=60)
