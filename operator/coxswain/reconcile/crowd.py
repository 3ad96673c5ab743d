"""Who waits for which Agent, in the order of creation, and who has just taken a slot.

Pods that were decided but not yet made count as running, so that two passes at once never both
take the last slot. It is memory only: after a restart every Job is looked at and lines up again.
"""

import bisect
from collections import defaultdict
from typing import NamedTuple

from coxswain.reconcile.key import Key


class Place(NamedTuple):
    """A place in the line of an Agent: older first, then by uid."""

    created_at: str
    uid: str
    key: Key


class Line:
    """The line of one Agent of one workspace."""

    def __init__(self) -> None:
        self.waiting: list[Place] = []
        self.taking: set[str] = set()


class Crowds:
    """The lines of all Agents."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Line] = defaultdict(Line)
        self._places: dict[str, tuple[tuple[str, str], Place]] = {}

    def wait(self, agent: tuple[str, str], place: Place) -> None:
        """Line up, once."""
        if place.uid in self._places:
            return
        bisect.insort(self._lines[agent].waiting, place)
        self._places[place.uid] = (agent, place)

    def leave(self, uid: str) -> None:
        """Leave the line: started, ended or gone."""
        found = self._places.pop(uid, None)
        if found is not None:
            agent, place = found
            line = self._lines[agent].waiting
            del line[bisect.bisect_left(line, place)]

    def ahead(self, agent: tuple[str, str], place: Place) -> int:
        """How many in the line are older."""
        return bisect.bisect_left(self._lines[agent].waiting, place)

    def take(self, agent: tuple[str, str], uid: str) -> None:
        """Hold a slot for a pod that is about to be made."""
        self._lines[agent].taking.add(uid)

    def settle(self, agent: tuple[str, str], uid: str) -> None:
        """The pod is made, or will not be."""
        self._lines[agent].taking.discard(uid)

    def taking(self, agent: tuple[str, str]) -> frozenset[str]:
        """Jobs that hold a slot without a pod yet."""
        return frozenset(self._lines[agent].taking)

    def next(self, agent: tuple[str, str], most: int) -> list[Key]:
        """The first of the line."""
        return [place.key for place in self._lines[agent].waiting[:most]]

    def next_in(self, namespace: str, most: int) -> list[Key]:
        """The first of all lines of a workspace, oldest first."""
        found = [
            place
            for (workspace, _), line in self._lines.items()
            if workspace == namespace
            for place in line.waiting[:most]
        ]
        return [place.key for place in sorted(found)[:most]]
