"""The events that a Job's status stands for. Pure: the same status gives the same ids."""

from datetime import UTC, datetime
from typing import Any

from coxswain.api.job import Attempt, JobPhase, Transition
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
    edges = [(each.at, 1, _edge(metadata, each)) for each in status.transitions]
    for attempt in status.attempts:
        edges.extend(_of_attempt(metadata, attempt))
    made.extend(event for _, _, event in sorted(edges, key=lambda each: each[:2]))
    if is_gone:
        at = metadata.deletion_timestamp or datetime.now(UTC)
        made.append(_event(metadata, "job.deleted", at, 0, {}))
    return tuple(made)


def _edge(metadata: Metadata, edge: Transition) -> Event:
    is_retry = edge.phase is JobPhase.QUEUED and edge.attempt > 0
    kind = "job.retrying" if is_retry else f"job.{edge.phase.lower()}"
    details = {"phase": edge.phase.value, "reason": edge.reason}
    return _event(metadata, kind, _at(edge.at), edge.attempt, details)


def _of_attempt(metadata: Metadata, attempt: Attempt) -> list[tuple[str, int, Event]]:
    made = []
    pod: dict[str, Any] = {"pod": attempt.pod_name, "podUid": attempt.pod_uid}
    if attempt.started_at is not None:
        event = _event(metadata, "attempt.started", _at(attempt.started_at), attempt.number, pod)
        made.append((attempt.started_at, 2, event))
    if attempt.finished_at is not None:
        details = {**pod, "outcome": attempt.outcome, "reason": attempt.reason}
        event = _event(metadata, "attempt.ended", _at(attempt.finished_at), attempt.number, details)
        made.append((attempt.finished_at, 0, event))
    return made


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
