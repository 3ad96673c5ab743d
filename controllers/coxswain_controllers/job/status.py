"""The status of a Job as it becomes: from what was, what was seen and what was decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coxswain.api.conditions import ConditionType, Seen, Status, merge, with_one
from coxswain.api.job import KEPT_ATTEMPTS, Attempt, JobPhase, JobResult, JobStatus, Transition
from coxswain.reconcile import instants
from coxswain.rules import lifecycle
from coxswain.rules.outcome import Ended
from coxswain_controllers.job.snapshot import JobSnapshot, PodSeen

PHASES = {"Succeeded": JobPhase.SUCCEEDED, "Cancelled": JobPhase.CANCELLED}
SHORT_BYTES = 4096
TOLD_CHARACTERS = 256
UNDER_WAY = Seen(ConditionType.READY, "False", "Running", "the attempt is under way")


def waiting(snapshot: JobSnapshot, seen: Sequence[Seen], now: datetime) -> dict[str, Any]:
    """Queued: the last of ``seen`` says why."""
    why = seen[-1]
    overall = (
        Seen(ConditionType.READY, "False", why.reason, why.message),
        Seen(ConditionType.RECONCILING, "True", "Waiting", f"waits for {why.type}"),
        Seen(ConditionType.STALLED, "False", "Waiting"),
    )
    return _wire(snapshot, _first_queued(snapshot, snapshot.status), (*seen, *overall), now)


def running(
    snapshot: JobSnapshot, pod: PodSeen, gates: Sequence[Seen], now: datetime
) -> dict[str, Any]:
    """Running: the pod of the attempt runs."""
    since = pod.running_since or now
    status = _first_queued(snapshot, snapshot.status)
    status = _entered(status, JobPhase.RUNNING, since, attempt=snapshot.number)
    status = _with_attempt(snapshot, status, since)
    seen = (
        *gates,
        Seen(ConditionType.POD_STARTED, "True", "Started", f"pod {pod.name} runs"),
        UNDER_WAY,
        Seen(ConditionType.RECONCILING, "True", "Running", "the attempt is under way"),
        Seen(ConditionType.STALLED, "False", "Running"),
    )
    return _wire(snapshot, status, seen, now)


def retrying(
    snapshot: JobSnapshot, ended: Ended, gates: Sequence[Seen], retry_at: datetime, now: datetime
) -> dict[str, Any]:
    """Queued again: an attempt has ended and another one is due."""
    status = _closed(snapshot, ended, now)
    if status.phase is JobPhase.RUNNING:
        at = _ended_at(snapshot, now)
        status = _entered(status, JobPhase.QUEUED, at, attempt=snapshot.number, reason=ended.reason)
    text = f"attempt {snapshot.number} ended ({ended.reason}); the next one is due"
    seen = (
        *gates,
        Seen(ConditionType.BACK_OFF, "False", ended.reason, f"{text} at {instants.text(retry_at)}"),
        Seen(ConditionType.READY, "False", ended.reason, ended.message),
        Seen(ConditionType.RECONCILING, "True", "Retrying", text),
        Seen(ConditionType.STALLED, "False", "Retrying"),
    )
    status = status.model_copy(update={"retry_at": instants.text(retry_at)})
    return _wire(snapshot, status, seen, now)


def under_review(
    snapshot: JobSnapshot, judged: Ended, why: Ended, text: str, now: datetime
) -> dict[str, Any]:
    """Review: the attempt has ended, and a person has to say what follows."""
    status = _closed(snapshot, judged, now)
    at = _ended_at(snapshot, now)
    for each in lifecycle.path(status.phase, JobPhase.REVIEW):
        reason = why.reason if each is JobPhase.REVIEW else None
        status = _entered(status, each, at, attempt=status.attempt, reason=reason)
    status = status.model_copy(update={"result": _result(judged), "retry_at": None})
    return _wire(snapshot, status, _waits_for_a_person(why.reason, text), now)


def in_review(snapshot: JobSnapshot, reason: str, text: str, now: datetime) -> dict[str, Any]:
    """Still Review, with other words."""
    return _wire(snapshot, snapshot.status, _waits_for_a_person(reason, text), now)


def reviewed(snapshot: JobSnapshot, judged: Ended, now: datetime) -> dict[str, Any]:
    """The end that a person decided on; what came out stays."""
    return _terminal(snapshot, snapshot.status, judged, (), now, told=judged.message)


def queued_again(snapshot: JobSnapshot, reason: str, text: str, now: datetime) -> dict[str, Any]:
    """Queued for another attempt, because a person wants it."""
    status = _entered(
        snapshot.status,
        JobPhase.QUEUED,
        now,
        attempt=snapshot.status.attempt,
        reason=reason,
        told=text,
    )
    status = status.model_copy(update={"result": None})
    seen = (
        Seen(ConditionType.READY, "False", reason, text),
        Seen(ConditionType.RECONCILING, "True", "Retrying", text),
        Seen(ConditionType.STALLED, "False", "Retrying"),
    )
    return _wire(snapshot, status, seen, now)


def ended(
    snapshot: JobSnapshot, judged: Ended, gates: Sequence[Seen], now: datetime
) -> dict[str, Any]:
    """The end of the Job: Succeeded, Failed or Cancelled."""
    status = _closed(snapshot, judged, now) if has_begun(snapshot) else snapshot.status
    status = status.model_copy(update={"result": _result(judged), "retry_at": None})
    return _terminal(snapshot, status, judged, gates, now)


def observed(snapshot: JobSnapshot) -> dict[str, Any] | None:
    """The same status for a newer generation of the spec, or None where it is up to date."""
    generation = snapshot.metadata.generation
    if snapshot.status.observed_generation == generation:
        return None
    conditions = [
        condition.model_copy(update={"observed_generation": generation})
        for condition in snapshot.status.conditions
    ]
    update = {"observed_generation": generation, "conditions": conditions}
    return snapshot.status.model_copy(update=update).to_wire()


def _waits_for_a_person(reason: str, text: str) -> tuple[Seen, ...]:
    return (
        Seen(ConditionType.READY, "False", reason, text),
        Seen(ConditionType.RECONCILING, "True", "Review", "waits for a person's decision"),
        Seen(ConditionType.STALLED, "False", "Review"),
    )


def with_condition(snapshot: JobSnapshot, seen: Seen, now: datetime) -> dict[str, Any]:
    """The same status with one condition changed."""
    generation = snapshot.metadata.generation
    conditions = with_one(
        snapshot.status.conditions, seen, generation=generation, now=instants.text(now)
    )
    return snapshot.status.model_copy(update={"conditions": conditions}).to_wire()


def _terminal(
    snapshot: JobSnapshot,
    status: JobStatus,
    judged: Ended,
    gates: Sequence[Seen],
    now: datetime,
    *,
    told: str | None = None,
) -> dict[str, Any]:
    reason, message = judged.reason, judged.message
    phase = PHASES.get(judged.outcome, JobPhase.FAILED)
    at = _ended_at(snapshot, now)
    status = _first_queued(snapshot, status)
    for each in lifecycle.path(status.phase, phase):
        why, by = (reason, told) if each is phase else (None, None)
        status = _entered(status, each, at, attempt=status.attempt, reason=why, told=by)
    done = phase is JobPhase.SUCCEEDED
    final = ConditionType.COMPLETE if done else ConditionType.FAILED
    failed: Status = "False" if done else "True"
    seen = (
        *gates,
        Seen(final, "True", reason, message),
        Seen(ConditionType.READY, "True" if done else "False", reason, message),
        Seen(ConditionType.RECONCILING, "False", reason),
        Seen(ConditionType.STALLED, failed, reason, message if failed == "True" else ""),
    )
    status = status.model_copy(update={"finished_at": status.transitions[-1].at})
    return _wire(snapshot, status, seen, now)


def _wire(
    snapshot: JobSnapshot, status: JobStatus, seen: Sequence[Seen], now: datetime
) -> dict[str, Any]:
    generation = snapshot.metadata.generation
    conditions = merge(
        snapshot.status.conditions, seen, generation=generation, now=instants.text(now)
    )
    update = {"observed_generation": generation, "conditions": conditions}
    return status.model_copy(update=update).to_wire()


def _entered(
    status: JobStatus,
    phase: JobPhase,
    at: datetime,
    *,
    attempt: int = 0,
    reason: str | None = None,
    told: str | None = None,
) -> JobStatus:
    """The status one edge further; the same where the phase stands already."""
    if status.phase is phase:
        return status
    former = instants.read(status.transitions[-1].at) if status.transitions else None
    if former is not None and at < former:
        # The node's clock may be behind ours; time does not run backwards in a history.
        at = former
    edge = Transition(
        phase=phase,
        at=instants.text(at),
        attempt=attempt,
        reason=reason,
        message=None if told is None else told[:TOLD_CHARACTERS],
    )
    update: dict[str, Any] = {"phase": phase, "transitions": [*status.transitions, edge]}
    if phase is JobPhase.RUNNING:
        update["retry_at"] = None
        update["started_at"] = status.started_at or instants.text(at)
    return status.model_copy(update=update)


def _first_queued(snapshot: JobSnapshot, status: JobStatus) -> JobStatus:
    """The status with its first edge: Queued since the object was made."""
    if status.phase is not None:
        return status
    return _entered(status, JobPhase.QUEUED, snapshot.metadata.creation_timestamp)


def _with_attempt(snapshot: JobSnapshot, status: JobStatus, since: datetime | None) -> JobStatus:
    entry = Attempt(
        number=snapshot.number,
        pod_name=snapshot.pod_name,
        pod_uid=snapshot.pod.uid if snapshot.pod is not None else None,
        token=snapshot.token,
        started_at=instants.text(since) if since is not None else None,
    )
    former = [each for each in status.attempts if each.number != entry.number]
    return status.model_copy(
        update={"attempt": entry.number, "attempts": [*former, entry][-KEPT_ATTEMPTS:]}
    )


def _closed(snapshot: JobSnapshot, judged: Ended, now: datetime) -> JobStatus:
    """The status with the attempt in question ended, begun first if nobody saw it run."""
    status = snapshot.status
    if snapshot.open_attempt is None:
        status = _begun_unseen(snapshot, now)
    entry = status.attempts[-1].model_copy(
        update={
            "finished_at": instants.text(_ended_at(snapshot, now)),
            "outcome": judged.outcome,
            "reason": judged.reason,
            "message": judged.message[:1024] or None,
            "exit_code": judged.exit_code,
        }
    )
    used = status.attempts_used + (1 if judged.uses_attempt else 0)
    return status.model_copy(
        update={"attempts": [*status.attempts[:-1], entry], "attempts_used": used}
    )


def _begun_unseen(snapshot: JobSnapshot, now: datetime) -> JobStatus:
    """The status as it would be had somebody seen the pod run, if it ever ran."""
    pod, run = snapshot.pod, snapshot.run
    since = pod.running_since if pod is not None else None
    if since is None and run is not None and run.claimed:
        since = _ended_at(snapshot, now)
    status = _first_queued(snapshot, snapshot.status)
    if since is not None:
        status = _entered(status, JobPhase.RUNNING, since, attempt=snapshot.number)
    return _with_attempt(snapshot, status, since)


def has_begun(snapshot: JobSnapshot) -> bool:
    """Whether there is an attempt to speak of: its row stands, which is written before its pod is made.

    The pod tells less: one that is ended before it has started is seen to end, or only to be gone.
    """
    known = (snapshot.open_attempt, snapshot.pod, snapshot.run)
    return any(each is not None for each in known)


def _ended_at(snapshot: JobSnapshot, now: datetime) -> datetime:
    pod = snapshot.pod
    return (pod.ended_at if pod is not None else None) or now


def _result(judged: Ended) -> JobResult | None:
    """The short form: an output whole or not at all, and as much answer as fits beside it."""
    answer, output = judged.answer, judged.output
    if answer is None and output is None and judged.exit_code is None:
        return None
    if output is not None and len(output.encode()) > SHORT_BYTES:
        output = None
    room = SHORT_BYTES - len((output or "").encode())
    shown = None if answer is None else answer.encode()[:room].decode(errors="ignore")
    return JobResult(
        answer=shown,
        truncated=shown != answer or output != judged.output,
        exit_code=judged.exit_code,
        output=output,
    )
