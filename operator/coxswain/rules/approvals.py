"""Whether the people who have to agree have done so: to a Job, or to a call of a tool. Pure.

What they agree to is what was shown, the spec or the call: a word carries its hash, and counts for
no other.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from coxswain.api.approval import Approval, Electorate
from coxswain.api.records import Given

MUTABLE = frozenset({"suspend", "cancel", "priority", "ttlSecondsAfterFinished"})
"""Fields of a Job that may change without a new question."""


class State(StrEnum):
    """How far it is. But for the last one the values are reasons of the condition Approved, too."""

    PENDING = "ApprovalPending"
    APPROVED = "Approved"
    DENIED = "ApprovalDenied"
    TIMED_OUT = "ApprovalTimeout"
    IMPOSSIBLE = "ApprovalImpossible"
    OVER = "ApprovalOver"
    """The run of a call ended before there was an answer."""


class Judged(NamedTuple):
    """How far it is, and why, for people."""

    state: State
    message: str


class Subject(NamedTuple):
    """What they are asked about: where the rule stands, who reads what, what follows in the end."""

    place: str
    shown_by: str
    too_late: str


JOB = Subject("spec.approval", "GET .../approval", "make another Job")
CALL = Subject("the Agent's spec.approvals", "GET .../calls", "the call is not made")


def call_hash(job_uid: str, attempt: int, tool: str, arguments: str) -> str:
    """What stands for a call as it was shown: another attempt asks anew."""
    text = json.dumps([job_uid, attempt, tool, arguments], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def shown_hash(spec: Mapping[str, Any], requester: str | None) -> str:
    """What stands for the spec as it was shown, and for who asks."""
    kept = {name: value for name, value in spec.items() if name not in MUTABLE}
    text = json.dumps([kept, requester], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def deadline(rule: Approval, created_at: datetime) -> datetime:
    """Until when they may agree."""
    return created_at + timedelta(seconds=rule.timeout_seconds)


def electors(rule: Electorate, requester: str | None) -> list[str]:
    """Those whose word counts."""
    return [each for each in rule.approvers if not (rule.exclude_requester and each == requester)]


def judge(
    rule: Electorate,
    *,
    requester: str | None,
    given: Iterable[Given],
    shown: str,
    until: datetime,
    now: datetime,
    about: Subject = JOB,
) -> Judged:
    """What the words that were given come to, at this time."""
    if rule.exclude_requester and requester is None:
        place = f"{about.place}.excludeRequester"
        text = f"{place}: nobody knows who made this Job; make it through the API"
        return Judged(State.IMPOSSIBLE, text)
    people = electors(rule, requester)
    if len(people) < rule.required:
        text = (
            f"{about.place}: {rule.required} have to agree, and without {requester}, who made this"
            f" Job, only {len(people)} may; name more approvers"
        )
        return Judged(State.IMPOSSIBLE, text)
    counted = [
        each
        for each in given
        if each.hash == shown and each.approver in people and each.at <= until
    ]
    denied = [each for each in counted if not each.approved]
    if denied:
        why = f": {denied[0].reason}" if denied[0].reason else ""
        return Judged(State.DENIED, f"{denied[0].approver} denied it{why}")
    if len(counted) >= rule.required:
        names = ", ".join(sorted(each.approver for each in counted))
        return Judged(State.APPROVED, f"approved by {names}")
    if now >= until:
        text = f"{len(counted)} of {rule.required} agreed in time; {about.too_late}"
        return Judged(State.TIMED_OUT, text)
    who = ", ".join(people)
    text = f"{rule.required} of these have to agree: {who}; {about.shown_by} shows to what"
    return Judged(State.PENDING, text)
