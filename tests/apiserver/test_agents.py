"""An Agent and the Jobs that hang on it."""

import asyncio
from functools import partial

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.kind import Agent
from coxswain.kube import paths
from tests.support import apiserver, builders, pods, postgres
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.postgres import Database
from tests.support.workspace import Ledger, Workspace, outcomes, phases, reason

pytestmark = pytest.mark.usefixtures("operator")


async def test_a_deleted_agent_ends_its_pods_and_cancels_its_jobs(
    workspace: Workspace, ledger: Ledger
) -> None:
    agent = await workspace.has_agent(quota={"concurrentJobs": 1})
    async with Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace):
        await workspace.has_job("runs")
        await workspace.job_runs("runs")
        await workspace.has_job("waits")
        await workspace.job_waits(ConditionType.QUOTA_RESERVED, "waits")
        await workspace.delete("agents", "a")
        for name in ("runs", "waits"):
            ended = await workspace.job_ends(name)
            assert ended.status.phase == "Cancelled"
            assert reason(ended, ConditionType.FAILED) == "AgentDeleted"
        await workspace.until_gone("pods")
    assert phases(ended) == ["Queued", "Cancelled"]
    assert (await ledger.until(agent.metadata.uid, "agent.deleted")).count("agent.deleted") == 1


async def test_the_pods_of_ended_jobs_go_with_their_agent_since_they_hold_its_home(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent(workspace={"type": "Persistent", "size": "1Gi"})
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
        # Once the records are written, nothing but the Agent wakes the Job.
        await ledger.until(ended.metadata.uid, "job.succeeded")
        assert len(await workspace.pods()) == 1
        await workspace.delete("agents", "a")
        await workspace.until_gone("pods")


async def test_a_job_of_an_agent_that_is_made_again_is_the_new_ones(workspace: Workspace) -> None:
    await workspace.has_agent()
    await workspace.delete("agents", "a")
    await workspace.has_agent()
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert ended.status.phase == "Succeeded"


async def test_a_job_waits_for_an_agent_that_is_not_there_and_starts_when_it_is(
    workspace: Workspace,
) -> None:
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        await workspace.has_job()
        waiting = await workspace.job_waits(ConditionType.AGENT_READY)
        assert reason(waiting, ConditionType.AGENT_READY) == "AgentNotFound"
        assert phases(waiting) == ["Queued"]
        await workspace.has_agent()
        assert (await workspace.job_ends()).status.phase == "Succeeded"


async def test_a_suspended_agent_starts_nothing_and_ends_nothing(workspace: Workspace) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace) as kubelet:
        await workspace.has_job("runs")
        await workspace.job_runs("runs")
        await workspace.patch("agents", "a", {"spec": {"suspend": True}})
        await workspace.agent_is("a", "Suspended")
        await workspace.has_job()
        waiting = await workspace.job_waits(ConditionType.AGENT_READY)
        assert reason(waiting, ConditionType.AGENT_READY) == "AgentSuspended"
        assert (await workspace.job("runs")).status.phase == "Running"
        await workspace.patch("agents", "a", {"spec": {"suspend": False}})
        await workspace.job_runs()
    assert not kubelet.faults


async def test_an_agent_whose_models_nobody_has_judged_is_not_ready(workspace: Workspace) -> None:
    await workspace.apply(builders.agent("a").with_model())
    await workspace.agent_is("a", "Pending")
    await workspace.has_job()
    waiting = await workspace.job_waits(ConditionType.AGENT_READY)
    told = find(waiting.status.conditions, ConditionType.AGENT_READY)
    assert told is not None
    assert "not checked" in told.message


async def test_what_the_gateway_says_of_the_models_is_why_an_agent_is_not_ready(
    workspace: Workspace, module_database: Database
) -> None:
    await workspace.apply(builders.agent("a").with_model())
    agent = await workspace.agent_is("a", "Pending")
    async with postgres.opened(module_database.gateway) as gateway:
        await Ledger(gateway).judge(agent, "CredentialsMissing", "there is no Secret keys")
    async with asyncio.timeout(20):
        while _ready(await workspace.agent()) != ("CredentialsMissing", "there is no Secret keys"):  # noqa: ASYNC110 - the operator does it
            await asyncio.sleep(0.05)
    await workspace.has_job()
    waiting = await workspace.job_waits(ConditionType.AGENT_READY)
    assert reason(waiting, ConditionType.AGENT_READY) == "CredentialsMissing"


async def test_people_are_told_in_one_event_how_often_an_agent_turned_unready(
    workspace: Workspace, module_database: Database
) -> None:
    await workspace.apply(builders.agent("a").with_model())
    agent = await workspace.agent_is("a", "Pending")
    async with postgres.opened(module_database.gateway) as gateway:
        for times in (1, 2):
            await Ledger(gateway).judge(agent, "CredentialsMissing", "there is no Secret keys")
            await apiserver.eventually(partial(_is_told, workspace, "CredentialsMissing", times))
            await Ledger(gateway).judge(agent)
            await workspace.agent_is("a", "Ready")


async def test_no_more_jobs_run_at_once_than_the_agent_allows(workspace: Workspace) -> None:
    running: set[str] = set()
    most = 0

    async def counted(pod: FakePod) -> None:
        nonlocal most
        running.add(pod.name)
        most = max(most, len(running))
        await pod.starts()
        # Discarded first: the end may be seen, and the next pod made, before this goes on.
        running.discard(pod.name)
        await pod.ends()

    await workspace.has_agent(quota={"concurrentJobs": 3})
    async with Kubelet(workspace.client, counted, namespace=workspace.namespace) as kubelet:
        names = [f"j{n:02}" for n in range(50)]
        await asyncio.gather(*(workspace.has_job(name) for name in names))
        ended = [await workspace.job_ends(name) for name in names]
    assert {job.status.phase.value for job in ended if job.status.phase} == {"Succeeded"}
    assert most <= 3
    assert len(kubelet.runs) == 50


async def test_the_claim_of_a_persistent_workspace_is_made_and_only_one_job_runs(
    workspace: Workspace,
) -> None:
    home = {"type": "Persistent", "size": "1Gi"}
    agent = await workspace.has_agent(workspace=home)
    assert agent.status.workspace_claim is not None
    path = paths.of("persistentvolumeclaims", workspace.namespace, agent.status.workspace_claim)
    assert (await workspace.client.get(path))["spec"]["accessModes"] == ["ReadWriteOncePod"]
    async with Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace):
        await workspace.has_job("first")
        await workspace.job_runs("first")
        await workspace.has_job()
        waiting = await workspace.job_waits(ConditionType.QUOTA_RESERVED)
        assert reason(waiting, ConditionType.QUOTA_RESERVED) == "AgentQuota"
        await workspace.patch("jobs", "first", {"spec": {"cancel": True}})
        await workspace.job_runs()
        assert outcomes(await workspace.job_ends("first")) == ["Cancelled/Cancelled"]


async def test_a_claim_that_was_to_stay_goes_with_its_agent_once_the_agent_says_so(
    workspace: Workspace,
) -> None:
    home = {"type": "Persistent", "size": "1Gi", "retention": "Retain"}
    agent = await workspace.has_agent(workspace=home)
    (claim,) = await workspace.all("persistentvolumeclaims")
    assert "ownerReferences" not in claim["metadata"]
    await workspace.patch("agents", "a", {"spec": {"workspace": {"retention": "Delete"}}})
    await workspace.agent_is("a", "Ready")
    (kept,) = await workspace.all("persistentvolumeclaims")
    assert kept["metadata"]["uid"] == claim["metadata"]["uid"]
    (owner,) = kept["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Agent", agent.metadata.uid)


async def test_a_namespace_that_is_no_workspace_says_what_is_missing(
    workspace: Workspace,
) -> None:
    path = paths.of("networkpolicies", workspace.namespace, "coxswain-agents")
    found = await workspace.client.get(path)
    await workspace.client.delete(path, uid=found["metadata"]["uid"])
    await workspace.apply(builders.agent("a"))
    async with asyncio.timeout(20):
        while (seen := find((await workspace.agent()).status.conditions, _SANDBOX)) is None:  # noqa: ASYNC110 - the operator does it
            await asyncio.sleep(0.05)
    assert seen.status == "False"
    assert "networkpolicies coxswain-agents" in seen.message


_SANDBOX = ConditionType.SANDBOX_READY


def _ready(agent: Agent) -> tuple[str, str]:
    seen = find(agent.status.conditions, ConditionType.READY)
    return (seen.reason, seen.message) if seen is not None else ("", "")


async def _is_told(workspace: Workspace, reason: str, times: int) -> bool:
    found = [each for each in await workspace.all("events") if each["reason"] == reason]
    return [each["count"] for each in found] == [times]
