"""An Agent's home: a real volume that its runs share, one after the other."""

import pytest

from tests.support.onboarded import AGENTS, Workspace, condition


@pytest.fixture
def dweller(proving: Workspace) -> Workspace:
    """A workspace with an Agent that has a home."""
    proving.clear()
    proving.agent("dweller", workspace={"type": "Persistent", "size": "64Mi"})
    return proving


def _claims(workspace: Workspace) -> list[str]:
    return [each["metadata"]["name"] for each in workspace.objects("persistentvolumeclaims")]


def test_a_file_of_one_run_is_there_for_the_next(dweller: Workspace) -> None:
    dweller.command("writer", "dweller", "sh", "-c", "mkdir notes; echo kept > notes/first")
    assert dweller.ended("writer")["phase"] == "Succeeded"
    dweller.command("reader", "dweller", "cat", "notes/first")
    assert dweller.ended("reader")["result"]["answer"] == "kept\n"


def test_one_job_at_a_time_is_at_home(dweller: Workspace) -> None:
    dweller.command("guest", "dweller", "sleep", "600")
    dweller.running("guest")
    dweller.command("caller", "dweller", "echo", "at home")
    dweller.until(
        lambda: (
            ""
            if condition(dweller.status("caller"), "QuotaReserved").get("reason") == "AgentQuota"
            else "the caller to wait"
        )
    )
    (claim,) = dweller.objects("persistentvolumeclaims")
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    dweller.run("delete", "jobs.coxswain.dev", "guest", "--wait=false")
    assert dweller.ended("caller")["result"]["answer"] == "at home\n"


def test_a_home_goes_with_its_agent(dweller: Workspace) -> None:
    dweller.command("writer", "dweller", "touch", "here")
    dweller.ended("writer")
    assert _claims(dweller)
    dweller.run("delete", AGENTS, "dweller")
    dweller.until(lambda: ", ".join(_claims(dweller)))


def test_a_home_that_is_retained_stays_with_its_files(proving: Workspace) -> None:
    proving.clear()
    home = {"type": "Persistent", "size": "64Mi", "retention": "Retain"}
    proving.agent("keeper", workspace=home)
    proving.command("writer", "keeper", "touch", "here")
    proving.ended("writer")
    (claim,) = proving.objects("persistentvolumeclaims")
    try:
        proving.run("delete", AGENTS, "keeper")
        proving.clear()
        (kept,) = proving.objects("persistentvolumeclaims")
        assert kept["metadata"]["uid"] == claim["metadata"]["uid"]
        assert "deletionTimestamp" not in kept["metadata"]
        assert not kept["metadata"].get("ownerReferences")
    finally:
        proving.run("delete", "persistentvolumeclaims", claim["metadata"]["name"])
