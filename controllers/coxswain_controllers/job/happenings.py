"""The events that a Job's status stands for. Pure: the same status gives the same ids."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from coxswain.api.job import Attempt, JobPhase, JobStatus, Transition
from coxswain.api.kind import Job, Metadata
from coxswain.reconcile import instants
from coxswain.reconcile.cache import Raw
from coxswain.store import events
from coxswain.store.events import Event

ACTOR = "operator"


def of(raw: Raw, *, is_gone: bool) -> tuple[Event, ...]:
    """All events of a Job so far, oldest first."""
    metadata, status = Metadata.parse(raw), Job.status_of(raw)
    made = [_event(metadata, "job.created", metadata.creation_timestamp, 0, {})]
    made.extend(_history(metadata, status))
    if is_gone:
        at = metadata.deletion_timestamp or datetime.now(UTC)
        made.append(_event(metadata, "job.deleted", at, 0, {}))
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
    return _event(metadata, kind, _at(edge.at), edge.attempt, details)


def _started(metadata: Metadata, attempt: Attempt) -> Iterator[Event]:
    if attempt.started_at is not None:
        at = _at(attempt.started_at)
        yield _event(metadata, "attempt.started", at, attempt.number, _pod(attempt))


def _ended(metadata: Metadata, attempt: Attempt) -> Iterator[Event]:
    if attempt.finished_at is not None:
        details = {
            **_pod(attempt),
            "outcome": attempt.outcome,
            "reason": attempt.reason,
            "message": attempt.message,
            "exitCode": attempt.exit_code,
        }
        at = _at(attempt.finished_at)
        yield _event(metadata, "attempt.ended", at, attempt.number, details)


def _pod(attempt: Attempt) -> dict[str, Any]:
    return {"pod": attempt.pod_name, "podUid": attempt.pod_uid}


def _event(
    metadata: Metadata, kind: str, at: datetime, attempt: int, details: dict[str, Any]
) -> Event:
    return Event(
        id=events.derived_id(metadata.uid, attempt, kind, at),
        type=kind,
        actor=ACTOR,
        workspace=metadata.namespace,
        kind="Job",
        name=metadata.name,
        uid=metadata.uid,
        attempt=attempt or None,
        details={k: v for k, v in details.items() if v is not None},
    )


def _at(text: str) -> datetime:
    found = instants.read(text)
    return found if found is not None else datetime.now(UTC)
