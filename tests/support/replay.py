"""The recorded state of a Job, Lease, Schedule or Agent, rebuilt from nothing but its events. Pure.

What the log does not tell stays empty: conditions, tokens, the result (it stands in the records), and
what is due, waits or runs. Of an Agent it tells whether it is ready and since when; the reason may have
changed since. Times are to the millisecond, as ids of events hold them.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from coxswain.api.agent import AgentStatus
from coxswain.api.conditions import ConditionType, find
from coxswain.api.event_types import agent as agents
from coxswain.api.event_types import job as events
from coxswain.api.event_types import lease as leases
from coxswain.api.event_types import schedule as schedules
from coxswain.api.event_types.lease import LeaseChange
from coxswain.api.event_types.schedule import TickEnded
from coxswain.api.job import KEPT_ATTEMPTS, Attempt, Instant, JobPhase, JobStatus, Transition
from coxswain.api.lease import LeaseState, LeaseStatus
from coxswain.api.records import Event
from coxswain.api.schedule import ScheduleStatus, TickOutcome
from coxswain.api.ticks import Outcome

KEPT_OUTCOMES = 10
_CHANGES = frozenset(each.name for each in leases.TYPES if each.data is LeaseChange)
_TICKS: dict[str, Outcome] = {what.name: outcome for outcome, what in schedules.ENDED.items()}
_READY = {agents.AGENT_READY.name: True, agents.AGENT_NOT_READY.name: False}
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


def of_schedule(told: Iterable[Event]) -> ScheduleStatus:
    """How many ticks came to what, and the last of them, by the events of a Schedule in any order."""
    counts: Counter[Outcome] = Counter()
    ended: list[tuple[str, TickOutcome]] = []
    for event in told:
        if (outcome := _TICKS.get(event.type)) is not None:
            data = TickEnded.of_other_version(event.details)
            counts[outcome] += data.count
            ended.append((_at(event.id), _tick(outcome, data)))
    last = [each for _, each in sorted(ended, key=lambda pair: (pair[0], pair[1].at))]
    return _ticked(counts["Fired"], counts["Missed"], counts["Skipped"], last)


def told_of_schedule(status: ScheduleStatus) -> ScheduleStatus:
    """The part of a recorded status that its events tell, once no Job of a tick is about to be made."""
    last = [each.model_copy(update={"at": _rounded(each.at)}) for each in status.last_outcomes]
    return _ticked(status.fired, status.missed, status.skipped, last)


def of_agent(told: Iterable[Event]) -> tuple[bool, str] | None:
    """Whether an Agent is ready and since when, by its events in the order of their positions."""
    found = None
    for event in told:
        if event.type in _READY:
            found = _READY[event.type], _at(event.id)
    return found


def told_of_agent(status: AgentStatus) -> tuple[bool, str] | None:
    """The part of a recorded status that its events tell."""
    ready = find(status.conditions, ConditionType.READY)
    if ready is None or ready.last_transition_time is None:
        return None
    return ready.status == "True", _rounded(ready.last_transition_time)


def _tick(outcome: Outcome, data: TickEnded) -> TickOutcome:
    return TickOutcome(
        at=_rounded(data.tick),
        outcome=outcome,
        reason=data.reason,
        count=data.count,
        job=data.job,
    )


def _ticked(fired: int, missed: int, skipped: int, last: list[TickOutcome]) -> ScheduleStatus:
    return ScheduleStatus(
        fired=fired, missed=missed, skipped=skipped, last_outcomes=last[-KEPT_OUTCOMES:]
    )


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
