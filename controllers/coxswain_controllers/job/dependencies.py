"""A Job that waits for other Jobs: the condition DependenciesMet, and what ends it early. Pure.

It counts for the first attempt only: what a Job waited for has happened, whatever comes later.
"""

from collections.abc import Iterator
from datetime import datetime

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.job import TERMINAL, JobPhase
from coxswain.rules.outcome import Ended
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job.snapshot import DependencySeen, JobSnapshot

KIND = ConditionType.DEPENDENCIES_MET
SHOWN = 5


def failure(snapshot: JobSnapshot, _now: datetime) -> Ended | None:
    """They wait in a circle, or one ended in a way that this Job does not go on after."""
    if snapshot.status.attempts:
        return None
    return _in_a_circle(snapshot) or _after_a_failure(snapshot)


def _in_a_circle(snapshot: JobSnapshot) -> Ended | None:
    if not snapshot.circle:
        return None
    way = " -> ".join(snapshot.circle)
    text = f"spec.dependsOn: these Jobs wait for each other in a circle: {way}; make them anew"
    return Ended("Failed", "DependencyCycle", text)


def _after_a_failure(snapshot: JobSnapshot) -> Ended | None:
    for each in snapshot.dependencies:
        has_failed = each.phase in TERMINAL and each.phase is not JobPhase.SUCCEEDED
        if has_failed and each.on_failure == "Fail":
            text = f"spec.dependsOn: Job {each.name} ended as {each.phase}"
            return Ended("Failed", "DependencyFailed", text)
    return None


def are_met(snapshot: JobSnapshot, _platform: Platform, _now: datetime) -> Seen | None:
    """The gate; None where the Job waits for no other."""
    if not snapshot.dependencies:
        return None
    left = list(pending(snapshot))
    if not left:
        return Seen(KIND, "True", "Met")
    missing = [each for each in left if each.phase is None and each.is_missing]
    shown = ", ".join(each.name for each in (missing or left)[:SHOWN])
    more = "" if len(missing or left) <= SHOWN else ", ..."
    if missing:
        text = f"spec.dependsOn: there is no Job {shown}{more} in {snapshot.key.namespace}; make it"
        return Seen(KIND, "False", "DependencyMissing", text)
    total = len(snapshot.dependencies)
    text = f"waits for {len(left)} of {total} Jobs to end: {shown}{more}"
    return Seen(KIND, "False", "DependenciesPending", text)


def pending(snapshot: JobSnapshot) -> Iterator[DependencySeen]:
    """Those that have to end yet."""
    if snapshot.status.attempts:
        return
    for each in snapshot.dependencies:
        if each.phase not in TERMINAL:
            yield each
