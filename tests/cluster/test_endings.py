"""What becomes of pods and records when somebody ends a Job, or takes its object or its Agent away."""

import pytest

from devtools.api_client import Api
from tests.support.onboarded import AGENTS, JOBS, Workspace

# Far less than the time that the programs would take.
SOON_SECONDS = 30.0


@pytest.fixture
def busy(proving: Workspace) -> Workspace:
    """A workspace in which the Job long runs."""
    proving.clear()
    proving.agent("worker")
    proving.command("long", "worker", "sh", "-c", "echo begun; exec sleep 600")
    proving.running("long")
    return proving


def _stops(workspace: Workspace) -> None:
    def running() -> str:
        pods = workspace.objects("pods")
        live = [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]
        return ", ".join(pod["metadata"]["name"] for pod in live)

    workspace.until(running, SOON_SECONDS)


def test_a_cancelled_job_ends_soon_and_its_pod_stops(busy: Workspace, api: Api) -> None:
    path = f"/v1/workspaces/{busy.name}/jobs/long"
    assert api.post(f"{path}/cancel", {"reason": "not needed"}).status == 202
    status = busy.ended("long", SOON_SECONDS)
    attempt = status["attempts"][-1]
    assert (status["phase"], attempt["outcome"]) == ("Cancelled", "Cancelled")
    assert "not needed" in attempt["message"]
    _stops(busy)


def test_a_job_that_takes_too_long_is_stopped_and_failed(busy: Workspace) -> None:
    busy.command("late", "worker", "sleep", "600", timeoutSeconds=3)
    status = busy.ended("late", SOON_SECONDS)
    attempt = status["attempts"][-1]
    assert (status["phase"], attempt["reason"]) == ("Failed", "Timeout")


def test_a_deleted_job_stops_its_pod_and_leaves_its_records(busy: Workspace, api: Api) -> None:
    uid, log = (
        busy.get(JOBS, "long")["metadata"]["uid"],
        f"/v1/workspaces/{busy.name}/jobs/long/log",
    )
    busy.until(lambda: "" if api.get(log).body else "the first line")
    busy.run("delete", JOBS, "long", "--wait=false")
    _stops(busy)
    busy.until(
        lambda: "" if api.events(job=uid, type="job.deleted") else "the event of the deletion"
    )
    assert api.get(log).body == "begun\n"


def test_a_deleted_agent_ends_its_pods_and_cancels_its_jobs(busy: Workspace) -> None:
    busy.run("delete", AGENTS, "worker", "--wait=false")
    status = busy.ended("long", SOON_SECONDS)
    attempt = status["attempts"][-1]
    assert (status["phase"], attempt["reason"]) == ("Cancelled", "AgentDeleted")
    _stops(busy)
