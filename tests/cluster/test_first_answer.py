"""The whole path on a real node: from a Job's object to an agent's answer and what it leaves behind."""

import threading
import time
from typing import Any

import pytest

from devtools import example, patience
from devtools.api_client import Api
from devtools.kubectl import Kubectl
from tests.support import database
from tests.support.onboarded import AGENTS, JOBS, Workspace, condition

SENTENCE = 'with the words "DRINK ME," beautifully printed on'
# K-07.
LOOK_SECONDS = 0.05
VISIBLE_SECONDS = 2.0
# A probe takes up to 120 s, and after one that came to nothing the next waits for 60 s.
PROBED_SECONDS = 240.0
LONG = "import sys; print('x' * 3_000_000); print('aside', file=sys.stderr)"
SPEC = {"agentRef": {"name": "worker"}, "title": "say it", "command": ["echo", "said"]}
Body = dict[str, Any]


@pytest.fixture(scope="module")
def first_answer(kubectl: Kubectl) -> Body:
    """The example of the docs, run anew."""
    place = ("--namespace", example.WORKSPACE)
    kubectl.run(*place, "delete", "--ignore-not-found", "--wait", "--filename", example.FOLDER)
    return example.run(kubectl)


@pytest.fixture(scope="module")
def events(first_answer: Body, api: Api) -> list[Body]:
    return api.events(f"job={first_answer['metadata']['uid']}")


@pytest.fixture(scope="module")
def worker(proving: Workspace) -> Workspace:
    proving.agent("worker")
    return proving


def test_the_answer_quotes_the_text(first_answer: Body) -> None:
    told = " ".join(example.tell(first_answer).split())
    assert SENTENCE in told
    assert "demo" in told


def test_the_network_of_the_agent_was_tried_and_keeps_it_in(
    first_answer: Body, kubectl: Kubectl
) -> None:
    name = first_answer["spec"]["agentRef"]["name"]

    def pending() -> str:
        agent = kubectl.json("--namespace", example.WORKSPACE, "get", AGENTS, name)
        seen = condition(agent.get("status", {}), "SandboxEnforced")
        is_true = seen.get("status") == "True"
        return "" if is_true else f"SandboxEnforced, which is {seen or 'not there'}"

    patience.until(pending, PROBED_SECONDS)


def test_every_step_is_an_event_in_its_order(events: list[Body]) -> None:
    steps = ["model_call", "tool_call", "tool_result"] * 2 + ["model_call", "answer"]
    assert [event["type"] for event in events] == [
        *("job.created", "job.queued", "job.running", "attempt.started", "run.claimed"),
        *(f"run.{step}" for step in steps),
        *("run.result", "attempt.ended", "job.succeeded"),
    ]
    counted = [event["seq"] for event in events if "seq" in event]
    assert counted == list(range(1, len(counted) + 1))
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))


def test_each_step_names_who_did_it(events: list[Body]) -> None:
    by = {event["type"].partition(".")[0]: event["actor"] for event in events}
    assert by == {"job": "operator", "attempt": "operator", "run": "agent:demo/reader"}


def test_the_usage_of_each_model_call_is_recorded(
    first_answer: Body, events: list[Body], kubectl: Kubectl
) -> None:
    calls = sum(1 for event in events if event["type"] == "run.model_call")
    uid = first_answer["metadata"]["uid"]
    counted = "SELECT count(*) FROM usage WHERE output_tokens > 0 AND job_uid ="
    assert database.value(kubectl, f"{counted} '{uid}'") == str(calls)


def test_a_finished_job_streams_its_whole_life_and_ends(first_answer: Body, api: Api) -> None:
    answer = api.get(f"/v1/workspaces/{example.WORKSPACE}/jobs/first-answer/stream")
    frames = [line for line in answer.body.splitlines() if line.startswith("event: ")]
    assert answer.status == 200
    assert frames[0] == frames[-1] == "event: status"
    assert "job.succeeded" in answer.body


def test_a_commands_output_is_kept_whole_and_apart(worker: Workspace, api: Api) -> None:
    worker.command("long", "worker", "python3", "-c", LONG)
    status = worker.ended("long")
    path = f"/v1/workspaces/{worker.name}/jobs/long"
    assert status["phase"] == "Succeeded"
    assert status["result"]["truncated"]
    assert api.get(f"{path}/artifacts/stdout").body == "x" * 3_000_000 + "\n"
    assert api.get(f"{path}/log?stream=stderr").body == "aside\n"


def test_a_commands_exit_code_is_the_jobs(worker: Workspace) -> None:
    worker.command("seven", "worker", "sh", "-c", "exit 7")
    status = worker.ended("seven")
    attempt = status["attempts"][-1]
    assert (attempt["outcome"], attempt["reason"], attempt["exitCode"]) == ("Failed", "ExitCode", 7)


def _seconds_until_visible(seen: Any) -> float:
    started = time.monotonic()
    while not seen():
        assert time.monotonic() - started < VISIBLE_SECONDS
        threading.Event().wait(LOOK_SECONDS)
    return time.monotonic() - started


def test_a_job_of_kubectl_is_visible_through_the_api_at_once(worker: Workspace, api: Api) -> None:
    worker.apply("Job", "by-kubectl", SPEC)
    path = f"/v1/workspaces/{worker.name}/jobs"
    assert _seconds_until_visible(lambda: api.get(f"{path}/by-kubectl").status == 200) < 2
    assert _seconds_until_visible(lambda: '"by-kubectl"' in api.get(path).body) < 2
    assert worker.ended("by-kubectl")["result"]["answer"] == "said\n"


def test_a_job_of_the_api_is_the_same_object_as_one_of_kubectl(worker: Workspace, api: Api) -> None:
    worker.apply("Job", "twin-by-kubectl", SPEC)
    body = {"metadata": {"name": "twin-by-api"}, "spec": SPEC}
    made = api.post(f"/v1/workspaces/{worker.name}/jobs", body)
    assert made.status == 201
    one, other = (worker.get(JOBS, f"twin-by-{who}") for who in ("kubectl", "api"))
    assert other["metadata"]["uid"] == made.json["id"]
    assert other["spec"] == one["spec"]
    assert worker.ended("twin-by-api")["result"] == worker.ended("twin-by-kubectl")["result"]
