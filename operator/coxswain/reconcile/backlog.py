"""Jobs of one workspace that wait, by owner, and in there by queue and Agent, each in order."""

import bisect
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from coxswain.rules.fairness import Place, Slot, Waiting


class _Lane(NamedTuple):
    """Jobs of one owner that the same caps bound: the first of them may start, or none."""

    slot: Slot
    places: list[Place]


class Backlog:
    """To put in and to take out costs a search, whatever waits; the first are known."""

    def __init__(self) -> None:
        self._owners: dict[str, dict[Slot, _Lane]] = {}

    def __bool__(self) -> bool:
        return bool(self._owners)

    def add(self, job: Waiting) -> None:
        """Put a Job in its place."""
        lanes = self._owners.setdefault(job.slot.owner, {})
        if job.slot not in lanes:
            lanes[job.slot] = _Lane(job.slot, [])
        bisect.insort(lanes[job.slot].places, job.place)

    def remove(self, job: Waiting) -> None:
        """Take out a Job that is in here."""
        lanes = self._owners[job.slot.owner]
        places = lanes[job.slot].places
        del places[bisect.bisect_left(places, job.place)]
        if not places:
            del lanes[job.slot]
        if not lanes:
            del self._owners[job.slot.owner]

    def firsts(self, has_room: Callable[[str, str], bool]) -> Iterator[Waiting]:
        """Of each owner the first Job for whose queue and Agent there is room."""
        is_open = cache(has_room)
        for lanes in self._owners.values():
            found = [
                Waiting(lane.places[0], lane.slot)
                for lane in lanes.values()
                if is_open(lane.slot.queue, lane.slot.agent)
            ]
            if found:
                yield found[0] if len(found) == 1 else min(found)
