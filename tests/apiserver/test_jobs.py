"""A Job from its creation to its end: what it becomes, and what that costs."""

from tests.support.kubelet import Kubelet
from tests.support.leader import OPERATOR, Installation, Operator
from tests.support.workspace import Ledger, Workspace, phases


async def test_a_job_that_succeeds_at_once_costs_one_pod_and_two_status_writes(
    workspace: Workspace, installation: Installation, operator: Operator, ledger: Ledger
) -> None:
    await workspace.has_agent()
    before = installation.audit.counts(OPERATOR, workspace.namespace)
    async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
        await workspace.has_job()
        ended = await workspace.job_ends()
        await ledger.until(ended.metadata.uid, "job.succeeded")
        assert not kubelet.faults
    asked = installation.audit.counts(OPERATOR, workspace.namespace) - before
    assert phases(ended) == ["Queued", "Running", "Succeeded"]
    assert asked.pop("patch jobs/status") <= 2
    assert asked.pop("get pods/log") == 1
    assert asked == {"create pods": 1}
