"""Counts what a status of a Job says that its former one did not: once it is written, and so once."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from coxswain.api.job import TERMINAL, JobPhase
from coxswain.reconcile import holding_back, instants
from coxswain.reconcile.cache import Raw
from coxswain.rules import failures
from coxswain.telemetry import job_metrics
from coxswain.telemetry.few import OTHER

NEVER_RAN = ("StartTimeout", "Unschedulable", "ImagePull", "DoorNotReady", "VolumeMount")


def count(before: Raw, after: Raw, pods: Iterable[Raw], now: datetime) -> None:
    """Count ends, starts and waits that ``after`` tells first; ``pods`` are those of the Job."""
    old, new = before.get("status") or {}, after["status"]
    _count_end(old, new)
    known = {each["number"]: each for each in old.get("attempts") or ()}
    for attempt in new.get("attempts") or ():
        _count_attempt(known.get(attempt["number"], {}), attempt, pods)
    if new.get("startedAt") and not old.get("startedAt"):
        created = after["metadata"]["creationTimestamp"]
        job_metrics.QUEUE_WAIT_SECONDS.observe(_seconds(created, new["startedAt"]))
    _count_wait(before, after, now)


def _count_end(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    if new.get("phase") in TERMINAL and old.get("phase") not in TERMINAL:
        last = (new.get("transitions") or [{}])[-1]
        job_metrics.JOBS_ENDED.labels(new["phase"], _reason(new["phase"], last)).inc()


def _count_attempt(old: Mapping[str, Any], new: Mapping[str, Any], pods: Iterable[Raw]) -> None:
    started = new.get("startedAt")
    if started and not old.get("startedAt"):
        for pod in pods:
            if pod["metadata"]["name"] == new["podName"]:
                created = pod["metadata"]["creationTimestamp"]
                job_metrics.START_SECONDS.observe(_seconds(created, started))
    outcome = new.get("outcome")
    if outcome is None or old.get("outcome") is not None:
        return
    job_metrics.ATTEMPTS.labels(outcome, _reason(outcome, new)).inc()
    if not started and new.get("reason") in NEVER_RAN:
        job_metrics.START_SECONDS.observe(job_metrics.NEVER_SECONDS)
    if started and new.get("finishedAt"):
        seconds = _seconds(started, new["finishedAt"])
        job_metrics.ATTEMPT_SECONDS.labels(outcome).observe(seconds)


def _reason(outcome: str, said: Mapping[str, Any]) -> str:
    """Programs may end with words of their own, and there is no end of those; success needs none."""
    word = said.get("reason")
    if not word or outcome == JobPhase.SUCCEEDED:
        return ""
    return word if word in failures.TABLE else OTHER


def _count_wait(before: Raw, after: Raw, now: datetime) -> None:
    was, is_now = holding_back.of(before), holding_back.of(after)
    if was is not None and (is_now is None or is_now.condition != was.condition):
        seconds = max(0.0, (now - was.since).total_seconds())
        job_metrics.WAIT_SECONDS.labels(was.condition).observe(seconds)


def _seconds(since: str, until: str) -> float:
    begun, ended = instants.read(since), instants.read(until)
    if begun is None or ended is None:
        return 0.0
    return max(0.0, (ended - begun).total_seconds())
