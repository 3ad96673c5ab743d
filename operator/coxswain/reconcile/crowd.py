"""Who waits for which Agent, in the order of creation, and who has just taken a slot.

Pods that were decided but not yet made count as running, so that two passes at once never both
take the last slot. It is memory only: after a restart every Job is looked at and lines up again.
"""

import bisect
from collections.abc import Mapping
from typing import NamedTuple

from coxswain.reconcile.key import Key


class Line(NamedTuple):
    """The line of one Agent of one workspace."""

    workspace: str
    agent: str


class Place(NamedTuple):
    """A place in a line: older first, then by uid."""

    created_at: str
    uid: str
    key: Key


class Crowds:
    """The lines of all Agents. A Job stands in one line at most."""

    def __init__(self) -> None:
        self._waiting: dict[Line, list[Place]] = {}
        self._places: dict[str, tuple[Line, Place]] = {}
        self._taking: dict[Line, dict[str, str]] = {}
        self._takers: dict[str, Line] = {}

    def wait(self, line: Line, place: Place) -> None:
        """Line up, once."""
        if place.uid not in self._places:
            bisect.insort(self._waiting.setdefault(line, []), place)
            self._places[place.uid] = (line, place)

    def leave(self, uid: str) -> bool:
        """Leave the line: started, ended or gone. Tell whether it stood there."""
        found = self._places.pop(uid, None)
        if found is None:
            return False
        line, place = found
        waiting = self._waiting[line]
        del waiting[bisect.bisect_left(waiting, place)]
        if not waiting:
            del self._waiting[line]
        return True

    def ahead(self, line: Line, place: Place) -> int:
        """How many in the line are older."""
        return bisect.bisect_left(self._waiting.get(line, ()), place)

    def take(self, line: Line, uid: str, pod_name: str) -> None:
        """Hold a slot for a pod that is about to be made."""
        self._taking.setdefault(line, {})[uid] = pod_name
        self._takers[uid] = line

    def settle(self, uid: str) -> bool:
        """The pod is made, or will not be. Tell whether a slot was held."""
        line = self._takers.pop(uid, None)
        if line is None:
            return False
        del self._taking[line][uid]
        if not self._taking[line]:
            del self._taking[line]
        return True

    def taking(self, line: Line) -> Mapping[str, str]:
        """Jobs that hold a slot, by uid, with the name of the pod that they hold it for."""
        return dict(self._taking.get(line, {}))

    def next(self, line: Line, most: int) -> list[Key]:
        """The first of the line."""
        return [place.key for place in self._waiting.get(line, ())[:most]]

    def next_in(self, workspace: str, most: int) -> list[Key]:
        """The first of all lines of a workspace, oldest first."""
        found = [
            place
            for line, waiting in self._waiting.items()
            if line.workspace == workspace
            for place in waiting[:most]
        ]
        return [place.key for place in sorted(found)[:most]]
