"""A Job's life as spans: each once, with its own ids and times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from coxswain.api import tracing
from coxswain.reconcile import actions
from coxswain.telemetry.traces import Ended
from coxswain_controllers.job import decide, spans
from tests.support import builders, snapshots

Body = dict[str, Any]

CREATED = datetime(2026, 11, 21, 3, tzinfo=UTC)
MADE, BEGAN, MIDDLE, ENDED = (CREATED + timedelta(minutes=n) for n in range(1, 5))
PODS: list[Body] = [{"metadata": {"name": "p1", "creationTimestamp": MADE.isoformat()}}]
RUNS: Body = {"number": 1, "podName": "p1", "startedAt": BEGAN.isoformat()}
FAILED: Body = {
    **RUNS,
    "finishedAt": MIDDLE.isoformat(),
    "outcome": "Failed",
    "reason": "ExitCode",
}
NEVER: Body = {
    "number": 1,
    "podName": "p1",
    "finishedAt": MIDDLE.isoformat(),
    "outcome": "Failed",
    "reason": "StartTimeout",
}


def job(phase: str, *attempts: Body, **status: Any) -> Body:
    built = builders.job("j", "a").with_command("true")
    built = built.with_metadata(creationTimestamp=CREATED.isoformat())
    return built.with_status(phase=phase, attempts=list(attempts), **status).raw


def ended(phase: str, reason: str | None = None) -> Body:
    edges = [{"phase": phase, "at": ENDED.isoformat(), "reason": reason}]
    return job(phase, FAILED, transitions=edges, finishedAt=ENDED.isoformat())


def told(before: Body, after: Body) -> list[Ended]:
    return list(spans.of(before, after, PODS))


def test_a_pod_that_runs_has_started_since_it_was_made() -> None:
    (start,) = told(job("Queued"), job("Running", RUNS))
    assert (start.name, start.began, start.ended) == ("start pod", MADE, BEGAN)
    assert start.error == ""
    assert start.attributes["coxswain.pod.name"] == "p1"


def test_a_pod_that_never_ran_has_failed_to_start() -> None:
    (start,) = told(job("Queued"), job("Queued", NEVER))
    assert (start.name, start.began, start.ended) == ("start pod", MADE, MIDDLE)
    assert start.error == "StartTimeout"


def test_of_a_pod_that_nobody_remembers_no_start_is_told() -> None:
    assert list(spans.of(job("Queued"), job("Running", RUNS), [])) == []


def test_an_attempt_is_an_agent_that_is_invoked() -> None:
    (attempt,) = told(job("Running", RUNS), job("Queued", FAILED))
    assert (attempt.name, attempt.began, attempt.ended) == ("invoke_agent a", BEGAN, MIDDLE)
    assert attempt.error == "ExitCode"
    about = {name: each for name, each in attempt.attributes.items() if name.startswith("gen_ai.")}
    assert about == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "coxswain",
        "gen_ai.agent.name": "a",
    }


def test_the_end_of_a_job_is_the_whole_of_it_and_says_why() -> None:
    (whole,) = told(job("Queued", FAILED), ended("Failed", "NoMoreAttempts"))
    assert (whole.name, whole.began, whole.ended) == ("job", CREATED, ENDED)
    assert whole.error == "NoMoreAttempts"
    assert whole.attributes["coxswain.job.name"] == "j"


def test_a_success_has_no_error() -> None:
    succeeded = {**FAILED, "outcome": "Succeeded", "reason": "Completed"}
    last = job("Succeeded", succeeded, finishedAt=ENDED.isoformat())
    assert [each.error for each in told(job("Running", RUNS), last)] == ["", ""]


def test_what_one_write_tells_together_is_told_together_with_its_places() -> None:
    raw = ended("Failed")
    start, attempt, whole = told(job("Queued"), raw)
    assert whole.place == spans.place(raw)
    assert attempt.place == tracing.of_attempt(whole.place, 1)
    assert start.place == tracing.of_start(whole.place, 1)
    assert start.place.parent == attempt.place.parent == whole.place.span


def test_a_later_write_tells_nothing_again() -> None:
    raw = ended("Failed")
    assert told(raw, raw) == []
    assert told(raw, {**raw, "status": {**raw["status"], "conditions": []}}) == []


def test_whoever_tells_again_tells_of_the_same() -> None:
    raw = ended("Failed")
    assert told(job("Queued"), raw) == told(job("Queued"), raw)


def test_the_pod_is_told_of_the_attempts_span_only_where_somebody_traces() -> None:
    waits = snapshots.waiting()
    place = tracing.of_job(waits.metadata.uid, waits.metadata.annotations)
    for is_traced in (True, False):
        platform = replace(snapshots.PLATFORM, is_traced=is_traced)
        decision = decide.decide(waits, platform, snapshots.NOW)
        (made,) = [each for each in decision.actions if isinstance(each, actions.CreatePod)]
        (container,) = made.manifest["spec"]["containers"]
        told = [each["value"] for each in container["env"] if "TRACE" in each["name"]]
        assert told == ([tracing.of_attempt(place, 1).header] if is_traced else [])
