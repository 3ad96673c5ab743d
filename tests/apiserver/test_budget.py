"""What the operator asks of the API server for a Job: the budget, counted by the audit log."""

from tests.support.kubelet import Kubelet
from tests.support.leader import OPERATOR, Installation, Operator
from tests.support.pods import FakePod, fails_until
from tests.support.workspace import Ledger, Workspace, phases


async def test_a_job_that_succeeds_at_once_costs_one_pod_and_two_status_writes(
    workspace: Workspace, installation: Installation, operator: Operator, ledger: Ledger
) -> None:
    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await workspace.job_runs()
        await ledger.post(pod, status="succeeded", answer="42")
        await pod.ends()

    await workspace.has_agent()
    before = installation.audit.counts(OPERATOR, workspace.namespace)
    async with Kubelet(workspace.client, agent, namespace=workspace.namespace) as kubelet:
        await workspace.has_job()
        ended = await workspace.job_ends()
        await ledger.until(ended.metadata.uid, "job.succeeded")
        assert not kubelet.faults
    asked = installation.audit.counts(OPERATOR, workspace.namespace) - before
    assert ended.status.result is not None
    assert ended.status.result.answer == "42"
    assert phases(ended) == ["Queued", "Running", "Succeeded"]
    assert asked == {"create pods": 1, "patch jobs/status": 2}


async def test_a_pod_that_ended_before_it_was_seen_running_costs_one_status_write(
    workspace: Workspace, installation: Installation, operator: Operator, ledger: Ledger
) -> None:
    async def agent(pod: FakePod) -> None:
        await ledger.claim(pod)
        await ledger.post(pod, status="succeeded")
        await pod.ends()

    await workspace.has_agent()
    before = installation.audit.counts(OPERATOR, workspace.namespace)
    async with Kubelet(workspace.client, agent, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
        types = await ledger.until(ended.metadata.uid, "job.succeeded")
    asked = installation.audit.counts(OPERATOR, workspace.namespace) - before
    assert asked == {"create pods": 1, "patch jobs/status": 1}
    assert types == [
        "job.created",
        "job.queued",
        "job.running",
        "attempt.started",
        "attempt.ended",
        "job.succeeded",
    ]


async def test_a_new_operator_writes_nothing_where_everything_stands(
    workspace: Workspace, installation: Installation, operator: Operator, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, fails_until(2), namespace=workspace.namespace):
        await workspace.has_job(retry={"maxAttempts": 2, "backoffSeconds": 0})
        ended = await workspace.job_ends()
        await workspace.has_job("second")
        await workspace.job_ends("second")
        await ledger.until(ended.metadata.uid, "job.succeeded")
    objects = [*await workspace.all("jobs"), *await workspace.all("agents")]
    events = await ledger.events(ended.metadata.uid)
    before = len(installation.audit.calls(OPERATOR, workspace.namespace))

    operator.restart()
    await workspace.has_job("third")
    await workspace.until(lambda job: job.status.phase is not None, "third")

    third = await workspace.job("third")
    writes = [
        call
        for call in installation.audit.calls(OPERATOR, workspace.namespace)[before:]
        if call.verb not in ("get", "list", "watch") and call.name not in ("third", "")
    ]
    assert [f"{call.verb} {call.resource}" for call in writes if "third" not in call.name] == []
    assert await ledger.events(ended.metadata.uid) == events
    now = [*await workspace.all("jobs"), *await workspace.all("agents")]
    assert [each for each in now if each["metadata"]["uid"] != third.metadata.uid] == objects


async def test_applying_the_same_again_changes_nothing(
    workspace: Workspace, installation: Installation, operator: Operator, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
        await ledger.until(ended.metadata.uid, "job.succeeded")
        events = await ledger.events(ended.metadata.uid)
        before = [*await workspace.all("jobs"), *await workspace.all("agents")]
        for _ in range(3):
            await workspace.has_agent()
            await workspace.has_job()
        assert [*await workspace.all("jobs"), *await workspace.all("agents")] == before
        assert len(await workspace.pods()) == 1
        assert await ledger.events(ended.metadata.uid) == events
