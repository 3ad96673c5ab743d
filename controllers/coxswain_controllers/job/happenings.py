"""The events that a Job's status stands for. Pure: the same status gives the same ids."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from coxswain.api.job import Attempt, JobPhase, JobStatus, Transition
from coxswain.api.kind import Job, Metadata
from coxswain.reconcile import instants, telling
from coxswain.reconcile.cache import Raw
from coxswain.store.events import Event

KIND = "Job"


def of(raw: Raw, *, is_gone: bool) -> tuple[Event, ...]:
    """All events of a Job so far, oldest first."""
    metadata, status = Metadata.parse(raw), Job.status_of(raw)
    made = [telling.created(KIND, metadata)]
    made.extend(_history(metadata, status))
    if is_gone:
        made.append(telling.deleted(KIND, metadata))
    return tuple(made)


def _history(metadata: Metadata, status: JobStatus) -> Iterator[Event]:
    """Edges, each with what its attempts did around it: many share one second, so time is no guide.

    An attempt starts right after the edge into Running and ends right before the next edge.
    """
    open_attempts = list(status.attempts)
    for edge in status.transitions:
        is_start = edge.phase is JobPhase.RUNNING
        while open_attempts and open_attempts[0].number < edge.attempt + (not is_start):
            yield from _ended(metadata, open_attempts.pop(0))
        yield _edge(metadata, edge)
        if is_start and open_attempts and open_attempts[0].number == edge.attempt:
            yield from _started(metadata, open_attempts[0])
    for attempt in open_attempts:
        yield from _ended(metadata, attempt)


def _edge(metadata: Metadata, edge: Transition) -> Event:
    is_retry = edge.phase is JobPhase.QUEUED and edge.attempt > 0
    kind = "job.retrying" if is_retry else f"job.{edge.phase.lower()}"
    details = {"phase": edge.phase.value, "reason": edge.reason, "message": edge.message}
    return _event(metadata, kind, edge.at, edge.attempt, details)


def _started(metadata: Metadata, attempt: Attempt) -> Iterator[Event]:
    if attempt.started_at is not None:
        at, details = attempt.started_at, _pod(attempt)
        yield _event(metadata, "attempt.started", at, attempt.number, details)


def _ended(metadata: Metadata, attempt: Attempt) -> Iterator[Event]:
    if attempt.finished_at is not None:
        details = {
            **_pod(attempt),
            "outcome": attempt.outcome,
            "reason": attempt.reason,
            "message": attempt.message,
            "exitCode": attempt.exit_code,
        }
        yield _event(metadata, "attempt.ended", attempt.finished_at, attempt.number, details)


def _pod(attempt: Attempt) -> dict[str, Any]:
    return {"pod": attempt.pod_name, "podUid": attempt.pod_uid}


def _event(metadata: Metadata, edge: str, at: str, attempt: int, details: dict[str, Any]) -> Event:
    when = instants.read(at) or datetime.now(UTC)
    return telling.event(KIND, metadata, edge, when, attempt=attempt, details=details)
