"""The events that a Job's status stands for. Pure: the same status gives the same ids."""

from collections.abc import Iterator
from datetime import UTC, datetime

from coxswain.api.event_type import D, EventType
from coxswain.api.event_types import job as events
from coxswain.api.job import Attempt, JobPhase, JobStatus, Transition
from coxswain.api.kind import Job, Metadata
from coxswain.reconcile import instants, telling
from coxswain.reconcile.cache import Raw
from coxswain.store.events import Event

KIND = "Job"


def of(raw: Raw, *, is_gone: bool) -> tuple[Event, ...]:
    """All events of a Job so far, oldest first."""
    metadata, status = Metadata.parse(raw), Job.status_of(raw)
    made = [telling.created(events.JOB_CREATED, metadata)]
    made.extend(_history(metadata, status))
    if is_gone:
        made.append(telling.deleted(events.JOB_DELETED, metadata))
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
    what = events.JOB_RETRYING if is_retry else events.ENTERED[edge.phase]
    data = events.Edge(phase=edge.phase.value, reason=edge.reason, message=edge.message)
    return _event(metadata, what, data, edge.at, edge.attempt)


def _started(metadata: Metadata, attempt: Attempt) -> Iterator[Event]:
    if attempt.started_at is not None:
        data = events.AttemptStarted(pod=attempt.pod_name, pod_uid=attempt.pod_uid)
        yield _event(metadata, events.ATTEMPT_STARTED, data, attempt.started_at, attempt.number)


def _ended(metadata: Metadata, attempt: Attempt) -> Iterator[Event]:
    if attempt.finished_at is not None:
        data = events.AttemptEnded(
            pod=attempt.pod_name,
            pod_uid=attempt.pod_uid,
            outcome=attempt.outcome,
            reason=attempt.reason,
            message=attempt.message,
            exit_code=attempt.exit_code,
        )
        yield _event(metadata, events.ATTEMPT_ENDED, data, attempt.finished_at, attempt.number)


def _event(metadata: Metadata, what: EventType[D], data: D, at: str, attempt: int) -> Event:
    when = instants.read(at) or datetime.now(UTC)
    return telling.event(what, data, metadata, when, attempt=attempt)
