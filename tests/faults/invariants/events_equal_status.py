"""The event log tells of each Job, Schedule and Agent what its last status tells, and each end once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from coxswain.api.kind import Agent, Job, Schedule
from coxswain.store.events import StoredEvent
from tests.faults.history import Breach, History
from tests.support import replay

ONCE = (
    *("job.created", "job.deleted", "job.succeeded", "job.failed", "job.cancelled"),
    *("agent.deleted", "schedule.deleted"),
)


class Told(NamedTuple):
    """How a kind's state is read off its events, and off its status."""

    kind: Any
    of_events: Callable[..., Any]
    of_status: Callable[[Any], Any]


KINDS = {
    "Job": Told(Job, replay.of_job, replay.told_of),
    "Schedule": Told(Schedule, replay.of_schedule, replay.told_of_schedule),
    "Agent": Told(Agent, replay.of_agent, replay.told_of_agent),
}


def breaches(history: History) -> Iterator[Breach]:
    """At the end, of each object that there ever was and that the operator has looked at."""
    told: dict[str, list[StoredEvent]] = defaultdict(list)
    for stored in history.events:
        if stored.event.uid:
            told[str(stored.event.uid)].append(stored)
    for uid, raw in history.last.items():
        way = KINDS.get(str(raw.get("kind")))
        if way is None or not (raw.get("status") or {}).get("phase"):
            continue
        name, events = raw["metadata"]["name"], [each.event for each in told[uid]]
        by_events = way.of_events(events)
        by_status = way.of_status(way.kind.recorded(raw).status)
        if by_events != by_status:
            yield Breach(0, f"the log tells of {name} {by_events!r}, its status {by_status!r}")
        counted = Counter(each.type for each in events if each.type in ONCE)
        for kind, times in counted.items():
            if times > 1:
                yield Breach(0, f"{kind} of {name} was told {times} times")
    positions = [each.position for each in history.events]
    if positions != sorted(set(positions)):
        yield Breach(0, f"positions repeat: {positions}")
