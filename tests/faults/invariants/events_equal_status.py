"""The event log tells of each Job, Schedule and Agent what its last status tells, and each end once.

One exception: what was written last of an object that its owner then deleted, while the leader that
wrote it died. The log is told after the status, and whoever leads next finds nothing to tell of.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any, NamedTuple

from coxswain.api.kind import Agent, Job, Schedule
from coxswain.store.events import StoredEvent
from tests.faults.history import Body, Breach, Change, History
from tests.faults.invariants import tokens_grow
from tests.support import replay

ONCE = (
    *("job.created", "job.deleted", "job.succeeded", "job.failed", "job.cancelled"),
    *("agent.deleted", "schedule.deleted"),
)
TOLD_WITHIN = 5
"""Renewals of the lease of election: two seconds. Who leads on for longer has told the log."""


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
        if way is None or not _is_known(raw):
            continue
        name, events = raw["metadata"]["name"], [each.event for each in told[uid]]
        by_events = way.of_events(events)
        by_status = _told_by(way, raw)
        if by_events != by_status and not _died_with_its_leader(history, uid, way, by_events):
            yield Breach(0, f"the log tells of {name} {by_events!r}, its status {by_status!r}")
        counted = Counter(each.type for each in events if each.type in ONCE)
        for kind, times in counted.items():
            if times > 1:
                yield Breach(0, f"{kind} of {name} was told {times} times")
    positions = [each.position for each in history.events]
    if positions != sorted(set(positions)):
        yield Breach(0, f"positions repeat: {positions}")


def _is_known(raw: Body) -> bool:
    return bool((raw.get("status") or {}).get("phase"))


def _told_by(way: Told, raw: Body) -> Any:
    return way.of_status(way.kind.recorded(raw).status)


def _died_with_its_leader(history: History, uid: str, way: Told, by_events: Any) -> bool:
    """Whether all that the log lacks was written by a leader at its end, and gone before the next."""
    forms = [each for each in history.changes if each.uid == uid]
    if forms[-1].after is not None:
        return False
    since = _untold_since(forms, way, by_events)
    return since is not None and _nobody_could_tell(history, since, forms[-1].revision)


def _untold_since(forms: list[Change], way: Told, by_events: Any) -> int | None:
    """The first revision of which the log tells nothing; None where it tells what never was."""
    states = [(0, way.of_events([]))]
    for each in forms:
        if each.after is not None and _is_known(each.after):
            states.append((each.revision, _told_by(way, each.after)))
    known = [place for place, (_, state) in enumerate(states) if state == by_events]
    return states[known[-1] + 1][0] if known else None


def _nobody_could_tell(history: History, since: int, gone: int) -> bool:
    """Whether who led at one revision soon led no more, without an end in order, and only after another
    revision somebody else did."""
    reigns = [each for each in history.of_kind(tokens_grow.ELECTION) if each.after is not None]
    led = [each for each in reigns if each.revision <= since]
    later = [each for each in reigns if each.revision > since]
    if not led:
        return False
    renewals = list(takewhile(lambda each: _reign(each) == _reign(led[-1]), later))
    others = later[len(renewals) :]
    if len(renewals) > TOLD_WITHIN or not others:
        return False
    is_released = not _reign(others[0])[0]
    return not is_released and gone < others[0].revision


def _reign(change: Change) -> tuple[str, int]:
    """Who leads by the lease of election, and in which epoch."""
    spec = change.newest["spec"]
    return str(spec.get("holderIdentity") or ""), int(spec.get("leaseTransitions") or 0)
