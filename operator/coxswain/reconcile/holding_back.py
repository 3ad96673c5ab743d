"""What a Job that is Queued waits for, as its status says."""

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
_HOLDS = {each: "True" if each is ConditionType.SUSPENDED else "False" for each in CONDITIONS}


class HeldBack(NamedTuple):
    """A condition that is waited for, and since when."""

    condition: str
    since: datetime


def of(raw: Raw) -> HeldBack | None:
    """The one condition that a Queued Job waits for; None where it waits for none.

    Where somebody suspended its Agent, that is a wish like its own suspension, and no fault of the Agent.
    """
    status = raw.get("status") or {}
    if status.get("phase") != "Queued":
        return None
    for each in status.get("conditions") or ():
        if _HOLDS.get(each["type"]) == each["status"]:
            is_wish = each.get("reason") == AGENT_SUSPENDED
            condition = ConditionType.SUSPENDED if is_wish else each["type"]
            return HeldBack(condition, datetime.fromisoformat(each["lastTransitionTime"]))
    return None
