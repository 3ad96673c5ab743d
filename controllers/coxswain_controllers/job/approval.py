"""A Job that starts only with people's agreement: the condition Approved, and what ends it. Pure.

It is asked for before the first attempt, and holds for all of them.
"""

from datetime import datetime

from coxswain.api.conditions import ConditionType, Seen
from coxswain.rules import approvals
from coxswain.rules.approvals import Judged, State
from coxswain.rules.outcome import Ended
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job.snapshot import JobSnapshot

KIND = ConditionType.APPROVED
WAITS = (State.PENDING, State.APPROVED)


def is_given(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Seen | None:
    """The gate; None where nobody is asked."""
    judged = _judged(snapshot, now)
    if judged is None:
        return None
    if judged.state is State.APPROVED:
        return Seen(KIND, "True", judged.state, judged.message)
    return Seen(KIND, "False", judged.state, judged.message)


def failure(snapshot: JobSnapshot, now: datetime) -> Ended | None:
    """It was denied, nobody answered in time, or not enough people may answer at all."""
    judged = _judged(snapshot, now)
    if judged is None or judged.state in WAITS:
        return None
    if judged.state is not State.IMPOSSIBLE and snapshot.records.status != "True":
        return None
    return Ended("Failed", judged.state, judged.message)


def is_pending(snapshot: JobSnapshot) -> bool:
    """Whether people have to answer yet, so that nobody knows when the Job goes on."""
    judged = _judged(snapshot, snapshot.metadata.creation_timestamp)
    return judged is not None and judged.state is not State.APPROVED


def sooner(snapshot: JobSnapshot, wake_at: datetime | None, now: datetime) -> datetime | None:
    """When to look again, the end of the time to answer included."""
    rule = snapshot.valid_spec.approval
    if rule is None or not is_pending(snapshot):
        return wake_at
    until = approvals.deadline(rule, snapshot.metadata.creation_timestamp)
    if until <= now:
        return wake_at
    return until if wake_at is None else min(wake_at, until)


def _judged(snapshot: JobSnapshot, now: datetime) -> Judged | None:
    seen = snapshot.approval
    rule = snapshot.valid_spec.approval
    if seen is None or rule is None:
        return None
    return approvals.judge(
        rule,
        requester=seen.requester,
        given=seen.given,
        shown=seen.shown,
        until=approvals.deadline(rule, snapshot.metadata.creation_timestamp),
        now=now,
    )
