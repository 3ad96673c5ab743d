"""The work queue: each key once, one worker per key, back-off with jitter, fair over namespaces.

add ----> ready, one line per namespace, served in turn ----> take ----> done
add_at -> heap of times ------^                                 |
retry --> heap of times ------^        a key that was added while it was worked on comes again
"""

import asyncio
import heapq
from collections import OrderedDict, deque
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

    def drop(self, name: str, item: T) -> None:
        """Take an item out of a line, wherever it stands there."""
        line = self._lines.get(name, OrderedDict())
        line.pop(item, None)
        if not line:
            self._lines.pop(name, None)

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
    """Keys that want a pass, now or at a time of the clock that is passed in."""

    def __init__(self, clock: Callable[[], float], random: Random) -> None:
        self._clock = clock
        self._random = random
        self._ready: Lines[Key] = Lines()
        self._takers: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._due: list[tuple[float, Key]] = []
        self._due_at: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._is_closed = False
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def working(self) -> int:
        """How many keys were given out and are not done."""
        return len(self._working)

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
        self._call_one()

    def drop(self, key: Key) -> None:
        """Ask for no pass now: what was asked for and not begun is taken back; a later time holds."""
        self._ready.drop(key.namespace, key)

    def add_at(self, key: Key, at: float) -> None:
        """Ask for a pass at a time; the earliest of all times asked for holds."""
        known = self._due_at.get(key)
        if known is not None and known <= at:
            return
        self._due_at[key] = at
        heapq.heappush(self._due, (at, key))
        self._set_timer()

    def settle(self, key: Key, next_at: float | None) -> None:
        """A pass went well: forget failures and former times; the next one is due then, or never."""
        self._failures.pop(key, None)
        self._due_at.pop(key, None)
        if next_at is not None:
            self.add_at(key, next_at)

    def retry(self, key: Key, after_seconds: float | None = None) -> float:
        """Ask for a pass after the key's own back-off, or after what was asked for if longer.

        Never later than the longest back-off: what was asked for may be a date by a clock that is wrong.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        top = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures, 16))
        asked = min(after_seconds or 0.0, LONGEST_DELAY_SECONDS)
        delay = max(top * self._random.uniform(0.5, 1.0), asked)
        self.add_at(key, self._clock() + delay)
        return delay

    def failures(self, key: Key) -> int:
        """How often in a row the key has failed."""
        return self._failures.get(key, 0)

    async def take(self) -> Key:
        """Wait for the next key; nobody else gets it before ``done``."""
        while True:
            self._release_due()
            if len(self._ready) and not self._is_closed:
                key, _ = self._ready.pop()
                self._working.add(key)
                self._is_idle.clear()
                return key
            called = asyncio.get_running_loop().create_future()
            self._takers.append(called)
            self._set_timer()
            await called

    def done(self, key: Key) -> None:
        """The pass is over; if the key was added meanwhile it is ready again."""
        self._working.discard(key)
        if not self._working:
            self._is_idle.set()
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def close(self) -> None:
        """Give out nothing more, and wait until what was given out is done."""
        self._is_closed = True
        await self._is_idle.wait()

    def _call_one(self) -> None:
        """One worker for one key: more would only wake up to find nothing."""
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return

    def _release_due(self) -> None:
        """Move what is due to the ready lines."""
        now = self._clock()
        while (at := self._next_due()) is not None and at <= now:
            _, key = heapq.heappop(self._due)
            del self._due_at[key]
            self.add(key)

    def _next_due(self) -> float | None:
        """The nearest time that still holds; those that were replaced are dropped on the way."""
        while self._due:
            at, key = self._due[0]
            if self._due_at.get(key) == at:
                return at
            heapq.heappop(self._due)
        return None

    def _set_timer(self) -> None:
        """Come back at the nearest time, if anybody waits for work."""
        at = self._next_due() if self._takers else None
        if at == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, at
        if at is not None:
            wait = max(0.0, at - self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait, self._on_time)

    def _on_time(self) -> None:
        self._timer = self._timer_at = None
        self._release_due()
        self._set_timer()
