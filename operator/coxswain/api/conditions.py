"""Condition types and reasons, and how a list of conditions changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from coxswain.api.meta import Model


class ConditionType(StrEnum):
    """Every condition of every kind, in the order in which a status holds them.

    A Job answers "why is it not running" in this order.
    """

    ACCEPTED = "Accepted"
    SUSPENDED = "Suspended"
    MODEL_READY = "ModelReady"
    AGENT_READY = "AgentReady"
    PAGE_REACHED = "PageReached"
    RECORDS_AVAILABLE = "RecordsAvailable"
    DEPENDENCIES_MET = "DependenciesMet"
    BACK_OFF = "BackOff"
    QUOTA_RESERVED = "QuotaReserved"
    LEASE_HELD = "LeaseHeld"
    APPROVED = "Approved"
    SANDBOX_READY = "SandboxReady"
    SANDBOX_ENFORCED = "SandboxEnforced"
    POD_STARTED = "PodStarted"
    COMPLETE = "Complete"
    FAILED = "Failed"
    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


_ORDER = {str(each): place for place, each in enumerate(ConditionType)}

RETRYING_AFTER_ERROR = "RetryingAfterError"
"""The reason of Reconciling while an operation keeps failing."""
AGENT_SUSPENDED = "AgentSuspended"
"""The reason of a Job's AgentReady while somebody's wish suspends its Agent."""

Status = Literal["True", "False", "Unknown"]


class Condition(Model):
    """One observation about an object, as in every kind of Kubernetes."""

    type: Annotated[str, Field(max_length=64)]
    """What is observed."""
    status: Status
    """Whether it holds."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the spec that this was observed for."""
    last_transition_time: Annotated[str, Field(max_length=40)]
    """When the status last changed, RFC 3339."""
    reason: Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z]([A-Za-z0-9_]*)$")]
    """One word for programs."""
    message: Annotated[str, Field(max_length=4096)] = ""
    """A sentence for people: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A condition as decided, before it meets the time of its last change."""

    type: ConditionType
    status: Status
    reason: str
    message: str = ""


def merge(
    old: Iterable[Condition], seen: Iterable[Seen], *, generation: int, now: str
) -> list[Condition]:
    """The new list: what is seen replaces what was; the time moves only when the status does.

    It is in the one order of all conditions, whoever saw which first.
    """
    before = {condition.type: condition for condition in old}
    merged = []
    for each in seen:
        former = before.get(each.type)
        kept = former is not None and former.status == each.status
        merged.append(
            Condition(
                type=each.type,
                status=each.status,
                observed_generation=generation,
                last_transition_time=former.last_transition_time if former and kept else now,
                reason=each.reason,
                message=each.message[:4096],
            )
        )
    return sorted(merged, key=_place)


def with_one(old: Iterable[Condition], seen: Seen, *, generation: int, now: str) -> list[Condition]:
    """The old list with one condition changed, or added where it belongs."""
    kept = [each for each in old if each.type != seen.type]
    (changed,) = merge(old, (seen,), generation=generation, now=now)
    return sorted([*kept, changed], key=_place)


def _place(condition: Condition) -> int:
    return _ORDER.get(condition.type, len(_ORDER))


def find(conditions: Iterable[Condition], kind: ConditionType) -> Condition | None:
    """The condition of that type, if it was ever observed."""
    return next((condition for condition in conditions if condition.type == kind), None)
