"""How many Jobs all Schedules together may make in a second: a stampede waits, no tick is dropped.

A Schedule that has to wait gets a place, so that those who came first go first.
"""

from collections.abc import Callable

BURST_SECONDS = 1.0
EXACT = 1e-6
"""Seconds that a sum of many short ones may be off."""


class Pace:
    """So many at once, and as many again in each second."""

    def __init__(self, per_second: int, clock: Callable[[], float]) -> None:
        self._gap = 1.0 / per_second
        self._clock = clock
        self._free_at = float("-inf")
        self._places: dict[str, float] = {}

    def take(self, uid: str, wanted: int) -> tuple[int, float]:
        """How many of so many Jobs may be made now, and for how many seconds the next has to wait."""
        now, granted = self._clock(), 0
        place = self._places.pop(uid, None)
        if place is not None and place > now + EXACT:
            self._places[uid] = place
            return 0, place - now
        if place is not None:
            granted = 1
        self._free_at = max(self._free_at, now - BURST_SECONDS)
        while granted < wanted and self._free_at + self._gap <= now + EXACT:
            self._free_at += self._gap
            granted += 1
        if granted >= wanted:
            return wanted, 0.0
        self._free_at += self._gap
        self._places[uid] = self._free_at
        return granted, self._free_at - now

    def forget(self, uid: str) -> None:
        """The Schedule wants nothing more."""
        self._places.pop(uid, None)
