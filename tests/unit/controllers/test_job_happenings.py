"""The events that a status stands for: all edges, in their order, with ids that repeat."""

from typing import Any

import pytest

from coxswain_controllers.job import happenings
from tests.support import builders

AT = "2026-11-21T03:00:0{}Z"


def _raw(transitions: list[tuple[str, int]], attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """A Job whose whole life took place in one second, as a kubelet tells it."""
    edges = [{"phase": phase, "at": AT.format(1), "attempt": n} for phase, n in transitions]
    return builders.job().with_status(transitions=edges, attempts=attempts).raw


def _attempt(number: int, *, ran: bool = True, outcome: str | None = "Failed") -> dict[str, Any]:
    entry: dict[str, Any] = {"number": number, "podName": f"pod-{number}"}
    if ran:
        entry["startedAt"] = AT.format(1)
    if outcome is not None:
        entry |= {"finishedAt": AT.format(1), "outcome": outcome, "reason": "Why"}
    return entry


def _types(raw: dict[str, Any], *, is_gone: bool = False) -> list[str]:
    return [event.type for event in happenings.of(raw, is_gone=is_gone)]


RETRIED = [("Queued", 0), ("Running", 1), ("Queued", 1), ("Running", 2), ("Succeeded", 2)]


@pytest.mark.parametrize(
    ("transitions", "attempts", "wanted"),
    [
        ([], [], []),
        ([("Queued", 0)], [], ["job.queued"]),
        (
            [("Queued", 0), ("Running", 1)],
            [_attempt(1, outcome=None)],
            ["job.queued", "job.running", "attempt.started"],
        ),
        (
            RETRIED,
            [_attempt(1), _attempt(2, outcome="Succeeded")],
            [
                "job.queued",
                *["job.running", "attempt.started", "attempt.ended", "job.retrying"],
                *["job.running", "attempt.started", "attempt.ended", "job.succeeded"],
            ],
        ),
        (
            [("Queued", 0), ("Running", 2), ("Succeeded", 2)],
            [_attempt(1, ran=False), _attempt(2, outcome="Succeeded")],
            [
                *["job.queued", "attempt.ended"],
                *["job.running", "attempt.started", "attempt.ended", "job.succeeded"],
            ],
        ),
        (
            [("Queued", 0), ("Failed", 1)],
            [_attempt(1, ran=False)],
            ["job.queued", "attempt.ended", "job.failed"],
        ),
        (
            [("Queued", 0), ("Running", 1), ("Review", 1), ("Queued", 1), ("Cancelled", 1)],
            [_attempt(1)],
            [
                *["job.queued", "job.running", "attempt.started", "attempt.ended", "job.review"],
                *["job.retrying", "job.cancelled"],
            ],
        ),
        ([("Queued", 0), ("Cancelled", 0)], [], ["job.queued", "job.cancelled"]),
        ([("Queued", 0)], [_attempt(1, ran=False)], ["job.queued", "attempt.ended"]),
    ],
)
def test_events_come_in_the_order_of_life_although_they_share_a_second(
    transitions: list[tuple[str, int]], attempts: list[dict[str, Any]], wanted: list[str]
) -> None:
    assert _types(_raw(transitions, attempts)) == ["job.created", *wanted]


def test_the_end_of_an_attempt_tells_why_it_failed() -> None:
    entry = {**_attempt(1), "reason": "ExitCode", "message": "no such file", "exitCode": 3}
    raw = _raw([("Queued", 0), ("Running", 1), ("Failed", 1)], [entry])
    (ended,) = [each for each in happenings.of(raw, is_gone=False) if each.type == "attempt.ended"]
    told = {key: ended.details[key] for key in ("outcome", "reason", "message", "exitCode")}
    wanted = {"outcome": "Failed", "reason": "ExitCode", "message": "no such file", "exitCode": 3}
    assert told == wanted


def test_the_same_status_gives_the_same_ids() -> None:
    raw = _raw(RETRIED, [_attempt(1), _attempt(2, outcome="Succeeded")])
    first = [event.id for event in happenings.of(raw, is_gone=False)]
    assert first == [event.id for event in happenings.of(raw, is_gone=False)]
    assert len(set(first)) == len(first)


def test_what_was_told_before_is_told_again_with_the_same_ids() -> None:
    early = happenings.of(_raw(RETRIED[:2], [_attempt(1, outcome=None)]), is_gone=False)
    late = happenings.of(_raw(RETRIED, [_attempt(1), _attempt(2)]), is_gone=False)
    assert [event.id for event in early] == [event.id for event in late][: len(early)]


def test_the_end_of_the_object_is_the_last_word() -> None:
    raw = _raw(RETRIED[:2], [_attempt(1, outcome=None)])
    assert _types(raw, is_gone=True) == [*_types(raw), "job.deleted"]
