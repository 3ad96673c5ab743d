"""How many Jobs were made from one: an index, so that a Job that makes too many is seen at once."""

import bisect
from collections import defaultdict

from coxswain.api import lineage
from coxswain.reconcile.cache import Raw

Place = tuple[str, str]
"""When a Job was made, and its uid: within one second nobody knows who was first."""


class Descent:
    """The living Jobs by the uid of the one that they come from, oldest first, and who has begun."""

    def __init__(self) -> None:
        self._children: dict[str, list[Place]] = defaultdict(list)
        self._begun: dict[str, set[Place]] = defaultdict(set)

    def keep(self, job: Raw) -> None:
        """Count a Job, once."""
        parent = _parent(job)
        if parent is None:
            return
        children, place = self._children[parent], _place(job)
        at = bisect.bisect_left(children, place)
        if children[at : at + 1] != [place]:
            children.insert(at, place)
        if (job.get("status") or {}).get("attempts"):
            self.begin(job)

    def begin(self, job: Raw) -> None:
        """A Job starts: for all others it counts from now on, whenever they were made."""
        parent = _parent(job)
        if parent is not None:
            self._begun[parent].add(_place(job))

    def forget(self, job: Raw) -> None:
        """A Job is gone."""
        parent = _parent(job)
        if parent is None:
            return
        place = _place(job)
        self._begun[parent].discard(place)
        left = [each for each in self._children[parent] if each != place]
        if left:
            self._children[parent] = left
        else:
            del self._children[parent], self._begun[parent]

    def ahead(self, job: Raw) -> int:
        """How many others of the same Job go first: those that are older or have begun."""
        parent = _parent(job)
        if parent is None:
            return 0
        own = _place(job)
        older = bisect.bisect_left(self._children.get(parent, []), own)
        return older + sum(each > own for each in self._begun.get(parent, ()))


def _parent(job: Raw) -> str | None:
    found = lineage.read(job["metadata"].get("annotations") or {})
    return None if found is None else found.uid


def _place(job: Raw) -> Place:
    metadata = job["metadata"]
    return metadata["creationTimestamp"], metadata["uid"]
