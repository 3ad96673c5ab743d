"""How many Jobs were made from one: an index, so that a Job that makes too many is seen at once."""

import bisect
from collections import defaultdict

from coxswain.api import lineage
from coxswain.reconcile.cache import Raw


class Descent:
    """The living Jobs by the uid of the one that they come from, oldest first."""

    def __init__(self) -> None:
        self._children: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def keep(self, job: Raw) -> None:
        """Count a Job, once."""
        parent = _parent(job)
        if parent is None:
            return
        children, place = self._children[parent], _place(job)
        at = bisect.bisect_left(children, place)
        if children[at : at + 1] != [place]:
            children.insert(at, place)

    def forget(self, job: Raw) -> None:
        """A Job is gone."""
        parent = _parent(job)
        if parent is None:
            return
        place = _place(job)
        left = [each for each in self._children[parent] if each != place]
        if left:
            self._children[parent] = left
        else:
            del self._children[parent]

    def older(self, job: Raw) -> int:
        """How many older ones come from the same Job."""
        parent = _parent(job)
        if parent is None:
            return 0
        return bisect.bisect_left(self._children.get(parent, []), _place(job))


def _parent(job: Raw) -> str | None:
    found = lineage.read(job["metadata"].get("annotations") or {})
    return None if found is None else found.uid


def _place(job: Raw) -> tuple[str, str]:
    metadata = job["metadata"]
    return metadata["creationTimestamp"], metadata["uid"]
