"""Conditions stand in one order, each once: a Job's in that in which it answers, another kind's in one of its own."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from coxswain.api.conditions import ConditionType
from tests.faults.history import Breach, History

ORDER = [each.value for each in ConditionType]
OURS = ("Agent", "Job", "Schedule", "Lease")


def breaches(history: History) -> Iterator[Breach]:
    """At each revision of an object of ours."""
    pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
    pairs["Job"] = set(combinations(ORDER, 2))
    for change in history.changes:
        if change.kind not in OURS or change.after is None:
            continue
        status = change.after.get("status") or {}
        types = [str(each["type"]) for each in status.get("conditions", ())]
        found = set(combinations(types, 2))
        turned = {(after, before) for before, after in found} & (pairs[change.kind] | found)
        if turned:
            yield Breach(change.revision, f"{change.kind} {change.name} has {', '.join(types)}")
        pairs[change.kind] |= found
