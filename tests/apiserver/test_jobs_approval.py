"""Jobs that start only with people's agreement, against the real API server."""

from typing import Any

import pytest

from coxswain import names
from coxswain.api.conditions import ConditionType
from coxswain.kube import paths
from coxswain.rules import approvals as rules
from coxswain.store import approvals
from coxswain.store.approvals import Word
from tests.support import builders
from tests.support.kubelet import Kubelet
from tests.support.workspace import Ledger, Workspace, reason

pytestmark = pytest.mark.usefixtures("operator")


async def _asks(workspace: Workspace, requester: str | None = "eve", **rule: Any) -> str:
    """As the API makes it; what stands for what it shows."""
    wanted = {"approvers": ["ada", "bob"], "required": 2, **rule}
    job = builders.job("j", "a").with_command("true").with_spec(approval=wanted)
    body = job.in_namespace(workspace.namespace).manifest
    if requester is not None:
        body["metadata"]["annotations"] = {names.ANNOTATION_REQUESTER: requester}
    path = paths.collection("jobs", workspace.namespace)
    made = await workspace.client.create(path, body)
    return rules.shown_hash(made["spec"], requester)


async def _says(
    workspace: Workspace, ledger: Ledger, who: str, shown: str, *, approved: bool = True
) -> None:
    uid = (await workspace.job()).metadata.uid
    word = Word(workspace.namespace, "j", uid, who, shown, approved)
    await ledger.store.transact(approvals.give, word)


async def test_it_starts_when_enough_have_agreed_and_holds_nothing_before(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent(quota={"concurrentJobs": 1})
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        shown = await _asks(workspace)
        waits = await workspace.job_waits(ConditionType.APPROVED)
        assert reason(waits, ConditionType.APPROVED) == "ApprovalPending"
        await workspace.has_job("younger")
        await workspace.job_ends("younger")
        await _says(workspace, ledger, "ada", shown)
        await _says(workspace, ledger, "bob", "0" * 64)
        await workspace.patch("jobs", "j", {"spec": {"ttlSecondsAfterFinished": 3600}})
        still = await workspace.until(lambda job: job.status.observed_generation == 2)
        assert (still.status.phase, still.status.attempts) == ("Queued", [])
        await _says(workspace, ledger, "bob", shown)
        ended = await workspace.job_ends()
    assert ended.status.phase == "Succeeded"
    assert reason(ended, ConditionType.APPROVED) == "Approved"


async def test_a_denial_ends_it_without_a_pod(workspace: Workspace, ledger: Ledger) -> None:
    await workspace.has_agent()
    shown = await _asks(workspace)
    await workspace.job_waits(ConditionType.APPROVED)
    await _says(workspace, ledger, "bob", shown, approved=False)
    ended = await workspace.job_ends()
    assert (ended.status.phase, ended.status.transitions[-1].reason) == ("Failed", "ApprovalDenied")
    assert await workspace.pods() == []


async def test_nobody_answers_in_time(workspace: Workspace) -> None:
    await workspace.has_agent()
    await _asks(workspace, timeoutSeconds=2)
    ended = await workspace.job_ends()
    assert ended.status.transitions[-1].reason == "ApprovalTimeout"
    assert await workspace.pods() == []


async def test_where_who_asks_is_left_out_and_nobody_knows_it_ends_at_once(
    workspace: Workspace,
) -> None:
    await workspace.has_agent()
    await _asks(workspace, None, excludeRequester=True)
    ended = await workspace.job_ends()
    assert ended.status.transitions[-1].reason == "ApprovalImpossible"
