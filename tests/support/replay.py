"""The recorded state of a Job, or of a Lease, rebuilt from nothing but its events. Pure.

What the log does not tell stays empty: conditions, tokens, the result (it stands in the records), and
what is due. Times are to the millisecond, as ids of events hold them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from coxswain.api.event_types import job as events
from coxswain.api.event_types import lease as leases
from coxswain.api.event_types.lease import LeaseChange
from coxswain.api.job import KEPT_ATTEMPTS, Attempt, Instant, JobPhase, JobStatus, Transition
from coxswain.api.lease import LeaseState, LeaseStatus
from coxswain.api.records import Event

_CHANGES = frozenset(each.name for each in leases.TYPES if each.data is LeaseChange)
_EDGES = frozenset(each.name for each in (*events.ENTERED.values(), events.JOB_RETRYING))


def of_job(told: Iterable[Event]) -> JobStatus:
    """What the status of a Job is by its events, in the order of their positions."""
    transitions: list[Transition] = []
    attempts: dict[int, Attempt] = {}
    for event in told:
        if event.type in _EDGES:
            transitions.append(_edge(event))
        elif event.type == events.ATTEMPT_STARTED.name:
            attempts[event.attempt or 0] = _started(event)
        elif event.type == events.ATTEMPT_ENDED.name:
            number = event.attempt or 0
            attempts[number] = _ended(event, attempts.get(number))
    return _status(transitions, [attempts[number] for number in sorted(attempts)])


def told_of(status: JobStatus) -> JobStatus:
    """The part of a recorded status that its events tell."""
    edges = [each.model_copy(update={"at": _rounded(each.at)}) for each in status.transitions]
    # An attempt is told of once it has run or ended.
    attempts = [each for each in status.attempts if each.started_at or each.finished_at]
    return _status(edges, [_shown(each) for each in attempts])


def of_lease(told: Iterable[Event]) -> LeaseStatus:
    """State, holder and token of a Lease by its events, in the order of their positions."""
    found = LeaseStatus(state=LeaseState.FREE)
    for event in told:
        if event.type in _CHANGES:
            data = LeaseChange.of_other_version(event.details)
            found = LeaseStatus(state=LeaseState(data.became), holder=data.holder, token=data.token)
    return found


def _status(transitions: list[Transition], attempts: list[Attempt]) -> JobStatus:
    last = transitions[-1] if transitions else None
    return JobStatus(
        phase=last.phase if last is not None else None,
        attempt=attempts[-1].number if attempts else 0,
        attempts=attempts[-KEPT_ATTEMPTS:],
        transitions=transitions,
    )


def _edge(event: Event) -> Transition:
    data = events.Edge.of_other_version(event.details)
    return Transition(
        phase=JobPhase(data.phase),
        at=_at(event.id),
        attempt=event.attempt or 0,
        reason=data.reason,
        message=data.message,
    )


def _started(event: Event) -> Attempt:
    data = events.AttemptStarted.of_other_version(event.details)
    return Attempt(
        number=event.attempt or 0,
        pod_name=data.pod,
        pod_uid=data.pod_uid,
        started_at=_at(event.id),
    )


def _ended(event: Event, before: Attempt | None) -> Attempt:
    data = events.AttemptEnded.of_other_version(event.details)
    return Attempt.model_validate(
        {
            "number": event.attempt or 0,
            "pod_name": data.pod,
            "pod_uid": data.pod_uid,
            "started_at": before.started_at if before is not None else None,
            "finished_at": _at(event.id),
            "outcome": data.outcome,
            "reason": data.reason,
            "message": data.message,
            "exit_code": data.exit_code,
        }
    )


def _shown(attempt: Attempt) -> Attempt:
    change: dict[str, object] = {"token": 0}
    for name in ("started_at", "finished_at"):
        given: Instant | None = getattr(attempt, name)
        change[name] = None if given is None else _rounded(given)
    return attempt.model_copy(update=change)


def _at(event_id: UUID) -> str:
    return _text(event_id.int >> 80)


def _rounded(at: Instant) -> str:
    return _text(int(datetime.fromisoformat(at).timestamp() * 1000))


def _text(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    at = datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest * 1000)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
