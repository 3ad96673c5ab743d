"""Jobs that have to end for the sake of a newer tick of their Schedule.

Memory only: as long as the tick waits, each pass of its Schedule asks again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from coxswain.reconcile.key import Key


@dataclass(frozen=True, slots=True)
class Displacement:
    """Why a Job has to end, and how long its pod may take; None takes the pod's own time."""

    reason: str
    grace_seconds: int | None


class Displaced:
    """Who was asked to end. ``wake`` has a Job looked at."""

    def __init__(self, wake: Callable[[Key], None]) -> None:
        self._wake = wake
        self._asked: dict[str, Displacement] = {}

    def ask(self, job: Key, reason: str, grace_seconds: int | None) -> None:
        """Have a Job end; the same again changes nothing."""
        if job.uid not in self._asked:
            self._asked[job.uid] = Displacement(reason, grace_seconds)
            self._wake(job)

    def of(self, uid: str) -> Displacement | None:
        """What was asked of a Job."""
        return self._asked.get(uid)

    def forget(self, uid: str) -> None:
        """The Job is gone."""
        self._asked.pop(uid, None)
