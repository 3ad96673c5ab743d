"""Whether the people who have to agree to a Job have done so. Pure.

What they agree to is the spec as it was shown: a decision carries its hash, and counts for no other.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from coxswain.api.approval import Approval
from coxswain.api.records import Given

MUTABLE = frozenset({"suspend", "cancel", "priority", "ttlSecondsAfterFinished"})
"""Fields of a Job that may change without a new question."""


class State(StrEnum):
    """How far it is. The values are reasons of the condition Approved."""

    PENDING = "ApprovalPending"
    APPROVED = "Approved"
    DENIED = "ApprovalDenied"
    TIMED_OUT = "ApprovalTimeout"
    IMPOSSIBLE = "ApprovalImpossible"


class Judged(NamedTuple):
    """How far it is, and why, for people."""

    state: State
    message: str


def shown_hash(spec: Mapping[str, Any], requester: str | None) -> str:
    """What stands for the spec as it was shown, and for who asks."""
    kept = {name: value for name, value in spec.items() if name not in MUTABLE}
    text = json.dumps([kept, requester], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def deadline(rule: Approval, created_at: datetime) -> datetime:
    """Until when they may agree."""
    return created_at + timedelta(seconds=rule.timeout_seconds)


def electors(rule: Approval, requester: str | None) -> list[str]:
    """Those whose word counts."""
    return [each for each in rule.approvers if not (rule.exclude_requester and each == requester)]


def judge(
    rule: Approval,
    *,
    requester: str | None,
    given: Iterable[Given],
    shown: str,
    until: datetime,
    now: datetime,
) -> Judged:
    """What the words that were given come to, at this time."""
    if rule.exclude_requester and requester is None:
        text = "spec.approval.excludeRequester: nobody knows who made this Job; make it through the API"
        return Judged(State.IMPOSSIBLE, text)
    people = electors(rule, requester)
    if len(people) < rule.required:
        text = (
            f"spec.approval: {rule.required} have to agree, and without {requester}, who made this"
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
        return Judged(
            State.TIMED_OUT, f"{len(counted)} of {rule.required} agreed in time; make another Job"
        )
    text = f"{rule.required} of these have to agree: {', '.join(people)}; GET .../approval shows to what"
    return Judged(State.PENDING, text)
