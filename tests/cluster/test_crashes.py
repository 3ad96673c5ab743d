"""The platform's processes are killed while Jobs run: nothing accepted is lost, nothing done twice."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from devtools import api_client, release
from devtools.kubectl import Kubectl
from tests.support import processes
from tests.support.onboarded import ENDS, JOBS, Workspace

pytestmark = pytest.mark.alone

SEED = 20261121
COUNT = 20
DELETIONS = 5
ALL_SECONDS = 240.0
RETRY = {"maxAttempts": 2, "backoffSeconds": 1}
LINES = 48
# Says a line every quarter of a second.
TALK = f"""
import time
for number in range({LINES}):
    print(f"line {{number}}", flush=True)
    time.sleep(0.25)
"""
Body = dict[str, Any]


@pytest.fixture(scope="module")
def crew(proving: Workspace) -> Workspace:
    proving.agent("crew", quota={"concurrentJobs": 6})
    models = [{"alias": "demo", "provider": "demo", "model": "demo"}]
    proving.agent("speaker", models=models)
    return proving


def _leader(kubectl: Kubectl) -> str:
    lease = kubectl.json("--namespace", release.NAMESPACE, "get", "lease", "coxswain-operator")
    return str(lease["spec"].get("holderIdentity") or "").rpartition("_")[0]


def _delete_the_leader(workspace: Workspace, kubectl: Kubectl, random: Random) -> None:
    """At once or with its grace; one that is on its way out already is not deleted again."""
    workspace.until(lambda: "" if _is_there(kubectl, _leader(kubectl)) else "a leader")
    grace = random.choice([(), ("--grace-period=1",)])
    words = ("delete", "pod", _leader(kubectl), "--wait=false", *grace)
    kubectl.run("--namespace", release.NAMESPACE, *words)


def _is_there(kubectl: Kubectl, pod: str) -> bool:
    pods = kubectl.json("--namespace", release.NAMESPACE, "get", "pods")["items"]
    staying = [each["metadata"] for each in pods if "deletionTimestamp" not in each["metadata"]]
    return pod in [each["name"] for each in staying]


def _ended(workspace: Workspace) -> int:
    phases = [each.get("status", {}).get("phase") for each in workspace.objects(JOBS)]
    return sum(1 for phase in phases if phase in ENDS)


def _reach(workspace: Workspace, count: int) -> None:
    workspace.until(
        lambda: "" if _ended(workspace) >= count else f"{count} Jobs to end", ALL_SECONDS
    )


@pytest.fixture(scope="module")
def twenty(crew: Workspace, kubectl: Kubectl) -> list[Body]:
    """Twenty Jobs, half of which fail on purpose, during which leaders were deleted."""
    random = Random(SEED)  # noqa: S311 - the same moments in every run
    for number in range(COUNT):
        script = "sleep 1; exit 3" if number % 2 else "sleep 1; echo done"
        crew.command(f"job-{number:02}", "crew", "sh", "-c", script, retry=RETRY)
    for moment in sorted(random.sample(range(COUNT - 1), DELETIONS)):
        _reach(crew, moment)
        _delete_the_leader(crew, kubectl, random)
    _reach(crew, COUNT)
    crew.until(lambda: ", ".join(release.waiting(kubectl)))
    return crew.objects(JOBS)


def _attempts(job: Body) -> list[tuple[str, str]]:
    return [(each["outcome"], each["reason"]) for each in job["status"]["attempts"]]


def test_every_job_has_exactly_the_attempts_that_it_should(twenty: list[Body]) -> None:
    found = {job["metadata"]["name"]: _attempts(job) for job in twenty}
    failing, well = [("Failed", "ExitCode")] * 2, [("Succeeded", "Completed")]
    assert found == {f"job-{n:02}": failing if n % 2 else well for n in range(COUNT)}


def test_every_attempt_has_one_pod(twenty: list[Body], crew: Workspace) -> None:
    told = {
        (job["metadata"]["name"], each["number"]): each["podUid"]
        for job in twenty
        for each in job["status"]["attempts"]
    }
    label = "coxswain.dev/job"
    made = Counter(pod["metadata"]["labels"][label] for pod in crew.objects("pods"))
    assert made == Counter(name for name, _ in told)
    assert len(set(told.values())) == len(told)


def test_every_edge_is_one_event(twenty: list[Body], kubectl: Kubectl) -> None:
    with api_client.forwarded(kubectl) as api:
        for job in twenty:
            attempts = len(job["status"]["attempts"])
            events = api.events(job=job["metadata"]["uid"])
            counted = Counter(event["type"] for event in events)
            assert counted["job.succeeded"] + counted["job.failed"] == 1
            for name in ("attempt.started", "attempt.ended", "run.claimed", "run.result"):
                assert counted[name] == attempts, (job["metadata"]["name"], name, counted)


def _kill(kubectl: Kubectl, component: str, program: str) -> None:
    found = processes.of_component(kubectl, release.NAMESPACE, component)
    chosen = [each for each in found if program in each.words[:3]]
    assert chosen
    for each in chosen:
        each.kill()


KILLS: dict[str, Callable[[Kubectl], None]] = {
    "sidecar": lambda kubectl: _kill(kubectl, "operator", "sidecar"),
    "models": lambda kubectl: _kill(kubectl, "models", "models"),
    "postgres": lambda kubectl: _kill(kubectl, "postgres", "postgres"),
}


@pytest.mark.usefixtures("on_the_node")
@pytest.mark.parametrize("component", KILLS)
def test_what_was_accepted_is_there_after_a_component_was_killed_alone(
    component: str, crew: Workspace, kubectl: Kubectl
) -> None:
    job = f"talker-{component}"
    crew.command(job, "crew", "python3", "-c", TALK)
    crew.running(job)
    with api_client.forwarded(kubectl) as api:
        path = f"/v1/workspaces/{crew.name}/jobs/{job}/log"
        crew.until(lambda: "" if "line 3" in api.get(path).body else "the first lines")
    KILLS[component](kubectl)
    status = crew.ended(job)
    assert [each["outcome"] for each in status["attempts"]] == ["Succeeded"]
    crew.until(lambda: ", ".join(release.waiting(kubectl)))
    with api_client.forwarded(kubectl) as api:
        log = api.get(path).body
        events = api.events(job=crew.get(JOBS, job)["metadata"]["uid"])
    assert log.splitlines() == [f"line {number}" for number in range(LINES)]
    counted = [event["seq"] for event in events if "seq" in event]
    assert counted == list(range(1, len(counted) + 1))
    assert [event["type"] for event in events].count("job.succeeded") == 1


@pytest.mark.usefixtures("on_the_node")
def test_a_question_is_answered_although_the_model_gateway_was_killed(
    crew: Workspace, kubectl: Kubectl
) -> None:
    crew.job("question", "speaker", prompt="What is it?", retry={**RETRY, "maxAttempts": 3})
    crew.running("question")
    KILLS["models"](kubectl)
    status = crew.ended("question")
    assert status["phase"] == "Succeeded", status
    assert "demo" in status["result"]["answer"]
