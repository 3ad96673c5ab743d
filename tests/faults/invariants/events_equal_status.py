"""The event log tells of each Job what its last status tells, once, in the order of what happened."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from coxswain.api.kind import Job
from coxswain.store.events import StoredEvent
from tests.faults.history import Breach, History
from tests.support import replay

ONCE = ("job.created", "job.deleted", "job.succeeded", "job.failed", "job.cancelled")


def breaches(history: History) -> Iterator[Breach]:
    """At the end, of each Job that there ever was."""
    told: dict[str, list[StoredEvent]] = defaultdict(list)
    for stored in history.events:
        if stored.event.uid:
            told[str(stored.event.uid)].append(stored)
    for uid, raw in history.last.items():
        if raw.get("kind") != "Job" or not (raw.get("status") or {}).get("phase"):
            continue
        events, job = [each.event for each in told[uid]], Job.recorded(raw)
        by_events, by_status = replay.of_job(events), replay.told_of(job.status)
        if by_events != by_status:
            yield Breach(
                0,
                f"the log tells of {job.metadata.name} {by_events.to_wire()}, its status"
                f" {by_status.to_wire()}",
            )
        counted = Counter(each.type for each in events if each.type in ONCE)
        for kind, times in counted.items():
            if times > 1:
                yield Breach(0, f"{kind} of {job.metadata.name} was told {times} times")
    positions = [each.position for each in history.events]
    if positions != sorted(set(positions)):
        yield Breach(0, f"positions repeat: {positions}")
