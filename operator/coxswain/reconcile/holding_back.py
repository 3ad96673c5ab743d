"""What a Job that is Queued waits for, as its status says."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from coxswain.api.conditions import AGENT_SUSPENDED, ConditionType
from coxswain.reconcile.cache import Raw

CONDITIONS = (
    ConditionType.ACCEPTED,
    ConditionType.SUSPENDED,
    ConditionType.AGENT_READY,
    ConditionType.RECORDS_AVAILABLE,
    ConditionType.DEPENDENCIES_MET,
    ConditionType.BACK_OFF,
    ConditionType.QUOTA_RESERVED,
    ConditionType.LEASE_HELD,
    ConditionType.APPROVED,
    ConditionType.SANDBOX_READY,
    ConditionType.POD_STARTED,
)
"""All that can hold a Job back."""
HOLDS: Mapping[str, str] = {
    each: "True" if each is ConditionType.SUSPENDED else "False" for each in CONDITIONS
}
"""The status by which each does."""
WISHES: Mapping[str, str] = {AGENT_SUSPENDED: ConditionType.SUSPENDED}
"""Reasons that count as another condition: where somebody suspended the Agent, it is at no fault."""


class HeldBack(NamedTuple):
    """A condition that is waited for, and since when."""

    condition: str
    since: datetime


def of(raw: Raw) -> HeldBack | None:
    """The one condition that a Queued Job waits for; None where it waits for none."""
    status = raw.get("status") or {}
    if status.get("phase") != "Queued":
        return None
    for each in status.get("conditions") or ():
        if HOLDS.get(each["type"]) == each["status"]:
            condition = WISHES.get(each.get("reason"), each["type"])
            return HeldBack(condition, datetime.fromisoformat(each["lastTransitionTime"]))
    return None
