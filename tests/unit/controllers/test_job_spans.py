"""A Job's life as spans, once it has ended."""

from datetime import datetime

from coxswain.api import tracing
from coxswain_controllers.job import spans
from tests.support import builders

BEGAN, MIDDLE, ENDED = (f"2026-11-21T03:0{n}:00Z" for n in range(3))


def ended(phase: str = "Failed") -> dict[str, object]:
    attempts = [
        {
            "number": 1,
            "podName": "p1",
            "startedAt": BEGAN,
            "finishedAt": MIDDLE,
            "outcome": "Failed",
            "reason": "ExitCode",
        },
        {"number": 2, "podName": "p2", "outcome": "Lost", "reason": "PodLost"},
    ]
    job = builders.job("j", "a").with_command("true")
    return job.with_status(phase=phase, attempts=attempts, finishedAt=ENDED).raw


def test_a_job_and_each_attempt_that_ran_are_told_of_with_their_times() -> None:
    raw = ended()
    whole, attempt = spans.of(raw)
    assert (whole.name, attempt.name) == ("job", "invoke_agent a")
    assert whole.ended == datetime.fromisoformat(ENDED)
    assert (attempt.began, attempt.ended) == (
        datetime.fromisoformat(BEGAN),
        datetime.fromisoformat(MIDDLE),
    )
    assert attempt.place.parent == whole.place.span
    assert (whole.error, attempt.error) == ("Failed", "ExitCode")
    assert whole.place == tracing.of_job(raw["metadata"])


def test_a_job_that_has_not_ended_is_told_of_later() -> None:
    assert list(spans.of(builders.job("j", "a").with_command("true").raw)) == []


def test_a_success_has_no_error() -> None:
    assert next(spans.of(ended("Succeeded"))).error == ""
