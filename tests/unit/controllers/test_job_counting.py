"""What is counted of a Job when a new status is written, and that it is counted once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from coxswain.rules import failures
from coxswain_controllers.job import counting
from tests.support import builders
from tests.support.builders import JobBuilder
from tests.support.measured import series, value

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
SINCE = "2026-11-21T03:08:00Z"
STARTED = "2026-11-21T03:09:00Z"
FINISHED = "2026-11-21T03:09:40Z"


def ended(outcome: str, reason: str) -> JobBuilder:
    attempt = {
        "number": 1,
        "podName": "p1",
        "startedAt": STARTED,
        "finishedAt": FINISHED,
        "outcome": outcome,
        "reason": reason,
    }
    phase = "Succeeded" if outcome == "Succeeded" else "Failed"
    last = {"phase": phase, "at": FINISHED, "attempt": 1, "reason": reason}
    return builders.job().with_status(
        phase=phase, attempts=[attempt], startedAt=STARTED, transitions=[last]
    )


def held_back(condition: str, status: str = "False") -> JobBuilder:
    made = builders.job().with_status(phase="Queued").with_condition(condition, status, "Waits")
    made.status["conditions"][0]["lastTransitionTime"] = SINCE
    return made


def count(before: JobBuilder, after: JobBuilder, *pods: dict[str, Any]) -> None:
    counting.count(before.raw, after.raw, pods, NOW)


@pytest.mark.parametrize(
    ("outcome", "said", "counted"),
    [
        ("Failed", "OutOfMemory", "OutOfMemory"),
        ("Failed", "a word of a program", "other"),
        ("Succeeded", "Succeeded", ""),
    ],
)
def test_an_attempt_and_its_job_are_counted_by_how_they_ended(
    outcome: str, said: str, counted: str
) -> None:
    attempts = {"outcome": outcome, "reason": counted}
    jobs = {"phase": outcome, "reason": counted}
    before = (
        value("coxswain_attempts_total", **attempts),
        value("coxswain_jobs_ended_total", **jobs),
    )
    seconds = value("coxswain_attempt_seconds_sum", outcome=outcome)
    count(builders.job().running(), ended(outcome, said))
    assert value("coxswain_attempts_total", **attempts) == before[0] + 1
    assert value("coxswain_jobs_ended_total", **jobs) == before[1] + 1
    assert value("coxswain_attempt_seconds_sum", outcome=outcome) == seconds + 40


def test_a_status_that_tells_it_again_counts_nothing() -> None:
    told = ended("Failed", "Timeout")
    before = value("coxswain_attempts_total", outcome="Failed", reason="Timeout")
    ends = value("coxswain_jobs_ended_total", phase="Failed", reason="Timeout")
    count(told, told.with_status(observedGeneration=2))
    assert value("coxswain_attempts_total", outcome="Failed", reason="Timeout") == before
    assert value("coxswain_jobs_ended_total", phase="Failed", reason="Timeout") == ends


def test_a_start_is_timed_from_the_making_of_its_pod() -> None:
    running = builders.job().running()
    (attempt,) = running.status["attempts"]
    attempt["startedAt"] = STARTED
    pod = {"metadata": {"name": attempt["podName"], "creationTimestamp": "2026-11-21T03:08:57Z"}}
    other = {"metadata": {"name": "other", "creationTimestamp": "2026-11-21T01:00:00Z"}}
    seconds = value("coxswain_attempt_start_seconds_sum")
    count(builders.job(), running, other, pod)
    assert value("coxswain_attempt_start_seconds_sum") == seconds + 3
    count(running, running.with_status(observedGeneration=2), other, pod)
    assert value("coxswain_attempt_start_seconds_sum") == seconds + 3


@pytest.mark.parametrize("reason", ["StartTimeout", "Unschedulable", "ImagePull", "VolumeMount"])
def test_an_attempt_that_was_given_up_before_it_ran_is_among_the_slow_starts(reason: str) -> None:
    told = ended("Failed", reason)
    del told.status["attempts"][0]["startedAt"]
    starts = value("coxswain_attempt_start_seconds_count")
    within = value("coxswain_attempt_start_seconds_bucket", le="900.0")
    count(builders.job(), told)
    count(told, told.with_status(observedGeneration=2))
    assert value("coxswain_attempt_start_seconds_count") == starts + 1
    assert value("coxswain_attempt_start_seconds_bucket", le="900.0") == within


@pytest.mark.parametrize("reason", ["Cancelled", "Timeout"])
def test_an_attempt_that_ended_otherwise_tells_nothing_of_starts(reason: str) -> None:
    told = ended("Cancelled", reason)
    del told.status["attempts"][0]["startedAt"]
    starts = value("coxswain_attempt_start_seconds_count")
    count(builders.job(), told)
    assert value("coxswain_attempt_start_seconds_count") == starts


@pytest.mark.parametrize(
    ("condition", "status"), [("LeaseHeld", "False"), ("Suspended", "True"), ("Approved", "False")]
)
def test_a_wait_is_timed_when_the_job_waits_for_that_no_more(condition: str, status: str) -> None:
    before = value("coxswain_job_condition_seconds_sum", condition=condition)
    waits = held_back(condition, status)
    count(waits, waits.with_status(observedGeneration=2))
    assert value("coxswain_job_condition_seconds_sum", condition=condition) == before
    count(waits, builders.job().running())
    assert value("coxswain_job_condition_seconds_sum", condition=condition) == before + 120


def test_every_reason_of_a_failure_is_there_before_the_first_fails_by_it() -> None:
    failed = {("Failed", reason) for reason in (*failures.TABLE, "other")}
    lost = {("Lost", reason) for reason in ("PodLost", "WorkerLost", "LeaseLost", "other")}
    assert failed | lost <= set(series("coxswain_attempts_total"))
    assert failed <= set(series("coxswain_jobs_ended_total"))
