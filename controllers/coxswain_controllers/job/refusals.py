"""A Job that waits for what will never come ends before its first attempt. Pure."""

from collections.abc import Callable
from datetime import datetime

from coxswain.api.conditions import ConditionType, Seen
from coxswain.reconcile.decision import Decision
from coxswain.rules.outcome import Ended
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job import approval, dependencies, descended, ending, gates, status
from coxswain_controllers.job.snapshot import JobSnapshot

REFUSALS: tuple[tuple[ConditionType, Callable[[JobSnapshot, datetime], Ended | None]], ...] = (
    (ConditionType.ACCEPTED, descended.failure),
    (ConditionType.DEPENDENCIES_MET, dependencies.failure),
    (ConditionType.APPROVED, approval.failure),
)


def job_can_never_start(
    snapshot: JobSnapshot, platform: Platform, now: datetime
) -> Decision | None:
    """The first of the reasons that hold; the condition that would have waited for it says so."""
    for kind, find in REFUSALS:
        ended = find(snapshot, now)
        if ended is None:
            continue
        seen = (
            *gates.asked_before(kind, snapshot, platform, now),
            Seen(kind, "False", ended.reason, ended.message),
        )
        return Decision(
            actions=ending.closing(snapshot, ended),
            status=status.ended(snapshot, ended, seen, now),
            notes=ending.note(ended),
            wake_at=ending.first_expiry(snapshot, now),
        )
    return None
