"""A Job's events give the state that was recorded of it."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain.api.job import JobPhase, JobStatus
from coxswain_controllers.job import happenings
from tests.support import builders, replay

AT = "2026-11-21T03:00:00.{:06}Z"


def _job(transitions: list[dict[str, Any]], attempts: list[dict[str, Any]]) -> dict[str, Any]:
    phase = transitions[-1]["phase"] if transitions else None
    fields = {"phase": phase, "attempt": len(attempts), "attemptsUsed": 1}
    return builders.job().with_status(transitions=transitions, attempts=attempts, **fields).raw


def _edge(phase: str, at: int, attempt: int = 0, **more: str) -> dict[str, Any]:
    return {"phase": phase, "at": AT.format(at), "attempt": attempt, **more}


def _attempt(number: int, began: int | None, ended: int | None, **more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"number": number, "podName": f"pod-{number}", "token": 7 + number}
    if began is not None:
        entry |= {"startedAt": AT.format(began), "podUid": f"uid-{number}"}
    if ended is not None:
        entry |= {"finishedAt": AT.format(ended), "outcome": "Failed", **more}
    return entry


WAITS = _edge("Queued", 1)
LIVES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "waits": ([WAITS], []),
    "runs": ([WAITS, _edge("Running", 2001, 1)], [_attempt(1, 2001, None)]),
    "is cancelled before it ran": (
        [WAITS, _edge("Cancelled", 9001, reason="Cancelled", message="ada: no need")],
        [],
    ),
    "succeeds at the second attempt": (
        [
            *(WAITS, _edge("Running", 2001, 1), _edge("Queued", 5001, 1, reason="ExitCode")),
            *(_edge("Running", 7999, 2), _edge("Succeeded", 9001, 2, reason="Completed")),
        ],
        [
            _attempt(1, 2001, 4999, reason="ExitCode", message="it ended with 3", exitCode=3),
            _attempt(2, 7999, 9000, reason="Completed"),
        ],
    ),
    "is lost before anybody saw it run": (
        [WAITS, _edge("Running", 6000, 2), _edge("Review", 8000, 2, reason="OutcomeUnknown")],
        [_attempt(1, None, 3000, reason="Vanished"), _attempt(2, 6000, 7000)],
    ),
}


@pytest.mark.parametrize(("transitions", "attempts"), LIVES.values(), ids=LIVES)
def test_the_events_of_a_job_give_its_recorded_state(
    transitions: list[dict[str, Any]], attempts: list[dict[str, Any]]
) -> None:
    raw = _job(transitions, attempts)
    status = JobStatus.model_validate(raw["status"])
    found = replay.of_job(happenings.of(raw, is_gone=False))
    assert found == replay.told_of(status)
    assert found.phase == transitions[-1]["phase"]
    assert [each.phase for each in found.transitions] == [each["phase"] for each in transitions]
    assert [each.reason for each in found.attempts] == [each.get("reason") for each in attempts]


def test_a_missing_or_other_event_gives_another_state() -> None:
    raw = _job(*LIVES["succeeds at the second attempt"])
    told, status = happenings.of(raw, is_gone=True), JobStatus.model_validate(raw["status"])
    assert replay.of_job(told) == replay.told_of(status)
    for place, event in enumerate(told):
        is_silent = event.type in ("job.created", "job.deleted")
        rest = (*told[:place], *told[place + 1 :])
        assert (replay.of_job(rest) == replay.told_of(status)) is is_silent, event.type


def test_what_a_newer_version_tells_is_passed_over() -> None:
    raw = _job(*LIVES["runs"])
    told = list(happenings.of(raw, is_gone=False))
    newer = [
        replace(told[0], type="job.sang"),
        *(replace(each, details={**each.details, "mood": "good"}) for each in told),
    ]
    assert replay.of_job(newer) == replay.of_job(told)
    assert replay.of_job(newer).phase is JobPhase.RUNNING
