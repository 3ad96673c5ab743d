"""A Job for which there is no room waits, says so, and starts by itself."""

import pytest

from tests.support.onboarded import Workspace, condition

# Two of them are more than the 32 that a workspace grants by default; nothing else runs there.
WIDE = {"resources": {"requests": {"cpu": "50m"}, "limits": {"cpu": "20"}}}


def _start(workspace: Workspace, agent: str) -> None:
    workspace.command("first", agent, "sleep", "600")
    workspace.running("first")
    workspace.command("second", agent, "echo", "at last")
    workspace.until(lambda: "" if _waits_for(workspace, "second") else "the second Job to wait")


def _waits_for(workspace: Workspace, job: str) -> str:
    found = condition(workspace.status(job), "QuotaReserved")
    return str(found["reason"]) if found.get("status") == "False" else ""


def _end_the_first(workspace: Workspace) -> None:
    workspace.run("delete", "jobs.coxswain.dev", "first", "--wait=false")


@pytest.fixture
def empty(proving: Workspace) -> Workspace:
    proving.clear()
    return proving


def test_a_job_above_the_workspaces_quota_waits_and_starts_when_room_is_free(
    empty: Workspace,
) -> None:
    empty.agent("wide", **WIDE)
    _start(empty, "wide")
    status = empty.status("second")
    assert _waits_for(empty, "second") == "WorkspaceQuota"
    assert "limits.cpu" in condition(status, "QuotaReserved")["message"]
    assert (status["phase"], status.get("attemptsUsed", 0)) == ("Queued", 0)
    assert empty.pods_of("second") == []
    _end_the_first(empty)
    ended = empty.ended("second")
    assert (ended["phase"], ended["attemptsUsed"]) == ("Succeeded", 1)


def test_a_job_above_its_agents_quota_waits_and_starts_when_a_slot_is_free(
    empty: Workspace,
) -> None:
    empty.agent("single", quota={"concurrentJobs": 1})
    _start(empty, "single")
    assert _waits_for(empty, "second") == "AgentQuota"
    assert empty.status("second").get("attemptsUsed", 0) == 0
    _end_the_first(empty)
    assert empty.ended("second")["result"]["answer"] == "at last\n"


def test_a_job_of_a_suspended_agent_waits_until_it_goes_on(empty: Workspace) -> None:
    empty.apply("Agent", "paused", {"suspend": True})
    empty.command("later", "paused", "echo", "at last")
    empty.until(
        lambda: (
            ""
            if condition(empty.status("later"), "AgentReady").get("reason") == "AgentSuspended"
            else "the reason"
        )
    )
    empty.agent("paused")
    assert empty.ended("later")["result"]["answer"] == "at last\n"
