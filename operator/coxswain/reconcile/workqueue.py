"""The work queue: each key once, one worker per key, back-off with jitter, fair over namespaces.

add ----> ready, one line per namespace, served in turn ----> take ----> done
add_at -> heap of times ------^                                 |
retry --> heap of times ------^        a key that was added while it was worked on comes again
"""

import asyncio
import heapq
from collections import OrderedDict
from collections.abc import Callable
from random import Random
from typing import Generic, TypeVar

from coxswain.reconcile.key import Key

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 60.0

T = TypeVar("T")


class Lines(Generic[T]):
    """First in, first out within a line; lines are served in turn. Each item stands once."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, OrderedDict[T, float]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def put(self, name: str, item: T, at: float) -> None:
        """Add an item unless it stands there already."""
        self._lines.setdefault(name, OrderedDict()).setdefault(item, at)

    def pop(self) -> tuple[T, float]:
        """Take the first item of the line whose turn it is. Raises KeyError when all are empty."""
        name, line = next(iter(self._lines.items()), (None, None))
        if name is None or line is None:
            raise KeyError("nothing is waiting")
        found = line.popitem(last=False)
        self._lines.move_to_end(name)
        if not line:
            del self._lines[name]
        return found

    def oldest(self) -> float | None:
        """When the longest waiting item was added."""
        return min((next(iter(line.values())) for line in self._lines.values()), default=None)


class WorkQueue:
    """Keys that want a pass, now or at a time of the event loop's clock."""

    def __init__(self, clock: Callable[[], float], random: Random) -> None:
        self._clock = clock
        self._random = random
        self._ready: Lines[Key] = Lines()
        self._changed = asyncio.Event()
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._due: list[tuple[float, Key]] = []
        self._due_at: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._ready)

    def age_seconds(self) -> float:
        """How long the oldest ready key has waited."""
        oldest = self._ready.oldest()
        return 0.0 if oldest is None else self._clock() - oldest

    def add(self, key: Key) -> None:
        """Ask for a pass now. Many calls before the pass make one pass."""
        if key in self._working:
            self._again.add(key)
            return
        self._ready.put(key.namespace, key, self._clock())
        self._changed.set()

    def add_at(self, key: Key, at: float) -> None:
        """Ask for a pass at a time; the earliest of all times asked for holds."""
        known = self._due_at.get(key)
        if known is not None and known <= at:
            return
        self._due_at[key] = at
        heapq.heappush(self._due, (at, key))
        self._changed.set()

    def retry(self, key: Key, after_seconds: float | None = None) -> float:
        """Ask for a pass after the key's own back-off, or after what was asked for if longer."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        top = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures, 16))
        delay = max(top * self._random.uniform(0.5, 1.0), after_seconds or 0.0)
        self.add_at(key, self._clock() + delay)
        return delay

    def failures(self, key: Key) -> int:
        """How often in a row the key has failed."""
        return self._failures.get(key, 0)

    def succeeded(self, key: Key) -> None:
        """Forget the key's failures."""
        self._failures.pop(key, None)

    def forget(self, key: Key) -> None:
        """The object is gone: drop its times and failures."""
        self._failures.pop(key, None)
        self._due_at.pop(key, None)

    async def take(self) -> Key:
        """Wait for the next key; nobody else gets it before ``done``."""
        while True:
            next_due = self._release_due()
            if len(self._ready):
                key, _ = self._ready.pop()
                self._working.add(key)
                return key
            self._changed.clear()
            wait = None if next_due is None else max(0.0, next_due - self._clock())
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def done(self, key: Key) -> None:
        """The pass is over; if the key was added meanwhile it is ready again."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _release_due(self) -> float | None:
        """Move what is due to the ready lines; return the time of the next that is not."""
        while self._due:
            at, key = self._due[0]
            if self._due_at.get(key) != at:
                heapq.heappop(self._due)
                continue
            if at > self._clock():
                return at
            heapq.heappop(self._due)
            del self._due_at[key]
            self.add(key)
        return None
