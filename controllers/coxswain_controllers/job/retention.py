"""Pods that have ended are taken away when the Job's ``retain`` says so; their output stays. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from coxswain.api.job import TERMINAL, JobSpec, Retain
from coxswain.reconcile.decision import Decision
from coxswain_controllers.job import ending
from coxswain_controllers.job.snapshot import JobSnapshot, PodSeen

SOON = timedelta(seconds=1)


def applied(snapshot: JobSnapshot, decision: Decision, now: datetime) -> Decision:
    """The decision, with the pods that nobody looks at any more ended, and a time to look again."""
    spec = snapshot.spec
    if not isinstance(spec, JobSpec) or spec.retain is None:
        return decision
    todo, times = list(decision.actions), [decision.wake_at]
    for pod in snapshot.done:
        until = None if pod.is_deleting else _until(spec.retain, pod)
        if until is None:
            continue
        is_over = until <= now and _is_judged(snapshot, pod)
        end = ending.end_pod(snapshot, pod)
        if not is_over:
            times.append(max(until, now + SOON))
        elif end not in todo:
            todo.append(end)
    wake_at = min((at for at in times if at is not None), default=None)
    return replace(decision, actions=tuple(todo), wake_at=wake_at)


def _is_judged(snapshot: JobSnapshot, pod: PodSeen) -> bool:
    """Its attempt stands in the status as ended, so its log is in the records."""
    return pod.attempt < snapshot.number or snapshot.status.phase in TERMINAL


def _until(retain: Retain, pod: PodSeen) -> datetime | None:
    succeeded = pod.end is not None and pod.end.succeeded
    seconds = retain.succeeded_pod_seconds if succeeded else retain.failed_pod_seconds
    if seconds is None:
        return None
    return (pod.ended_at or pod.created_at) + timedelta(seconds=seconds)
