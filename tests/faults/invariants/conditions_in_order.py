"""The conditions of our objects stand in the one order in which they are answered, each once."""

from collections.abc import Iterator

from coxswain.api.conditions import ConditionType
from tests.faults.history import Breach, History

ORDER = [each.value for each in ConditionType]
OURS = ("Agent", "Job", "Schedule", "Lease")


def breaches(history: History) -> Iterator[Breach]:
    """At each revision of an object of ours."""
    for change in history.changes:
        if change.kind not in OURS or change.after is None:
            continue
        status = change.after.get("status") or {}
        types = [each["type"] for each in status.get("conditions", ())]
        places = [ORDER.index(each) for each in types]
        if places != sorted(set(places)):
            yield Breach(change.revision, f"{change.kind} {change.name} has {', '.join(types)}")
