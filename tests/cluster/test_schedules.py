"""Schedules and Leases on a real node: Jobs come, wait for each other, and go with their Schedule."""

import pytest

from tests.support.onboarded import JOBS, Workspace, condition

SCHEDULES = "schedules.coxswain.dev"
LEASES = "leases.coxswain.dev"


@pytest.fixture
def crew(proving: Workspace) -> Workspace:
    proving.clear()
    proving.agent("crew")
    return proving


def _succeeded(workspace: Workspace) -> int:
    phases = [each.get("status", {}).get("phase") for each in workspace.objects(JOBS)]
    return phases.count("Succeeded")


def test_the_jobs_of_a_schedule_run_and_go_with_it(crew: Workspace) -> None:
    job = {"agentRef": {"name": "crew"}, "title": "tick", "command": ["echo", "tock"]}
    crew.apply("Schedule", "ticks", {"interval": {"seconds": 3}, "jobTemplate": {"spec": job}})
    crew.until(lambda: "" if _succeeded(crew) >= 2 else "two Jobs that ran")
    assert crew.get(SCHEDULES, "ticks")["status"]["fired"] >= 2
    crew.run("delete", SCHEDULES, "ticks", "--wait=false")
    crew.until(lambda: ", ".join(each["metadata"]["name"] for each in crew.objects(JOBS)))
    crew.until(lambda: ", ".join(each["metadata"]["name"] for each in crew.objects("pods")))


def test_two_jobs_that_want_one_lease_run_one_after_the_other(crew: Workspace) -> None:
    crew.apply("Lease", "main", {"resource": "git:main"})
    try:
        crew.command("first", "crew", "sleep", "8", leases=["main"])
        crew.running("first")
        assert crew.get(LEASES, "main")["status"]["holder"].startswith("job:first/")
        crew.command("second", "crew", "echo", "mine", leases=["main"])
        crew.until(lambda: "" if _held(crew, "second").get("status") == "False" else "the reason")
        assert "job:first/" in _held(crew, "second")["message"]
        ended = [crew.ended(name) for name in ("first", "second")]
        assert [each["phase"] for each in ended] == ["Succeeded", "Succeeded"]
        assert ended[0]["finishedAt"] <= ended[1]["startedAt"]
        crew.until(lambda: "" if crew.get(LEASES, "main")["status"]["state"] == "Free" else "it")
    finally:
        crew.run("delete", LEASES, "main")


def _held(workspace: Workspace, job: str) -> dict[str, str]:
    return condition(workspace.status(job), "LeaseHeld")
