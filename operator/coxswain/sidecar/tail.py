"""The end of the event log in memory: read once for all streams of this process.

Streams hold only a position. One that is further back than the ring reads Postgres until it has
caught up, so a slow reader costs no memory and holds up nobody.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from coxswain.errors import CoxswainError
from coxswain.store import events
from coxswain.store.events import StoredEvent
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.telemetry import logs

log = logs.get(__name__)

RING_EVENTS = 10_000
RING_BYTES = 8_388_608
POLL_SECONDS = 10.0
RETRY_SECONDS = 1.0
# What comes within a tick is read at once and goes out together; the first after a quiet time goes at once.
TICK_SECONDS = 0.05


@dataclass(frozen=True)
class _Kept:
    event: StoredEvent
    bytes: int


class Tail:
    """The newest events, and who is woken when more come."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store = store
        self._listener = listener
        self._ring: deque[_Kept] = deque()
        self._bytes = 0
        self._base: int | None = None
        self._last = 0
        self._wakes: set[asyncio.Event] = set()

    @property
    def position(self) -> int | None:
        """Of the newest event that was read; None before the first look."""
        return self._last if self._base is not None else None

    def since(self, position: int, limit: int, most_bytes: int) -> Sequence[StoredEvent] | None:
        """The events after a position, so many and so large at most, but one; None if it is further back."""
        if self._base is None or position < self._base:
            return None
        found: list[StoredEvent] = []
        start = bisect_right(self._ring, position, key=lambda kept: kept.event.position)
        for place in range(start, min(start + limit, len(self._ring))):
            kept = self._ring[place]
            found.append(kept.event)
            most_bytes -= kept.bytes
            if most_bytes <= 0:
                break
        return found

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever the log has moved; whoever waits clears it before looking."""
        wake = asyncio.Event()
        self._wakes.add(wake)
        try:
            yield wake
        finally:
            self._wakes.discard(wake)

    async def run(self) -> None:
        """Follow the log until cancelled; Postgres may come and go."""
        with self._listener.subscribe(events.CHANNEL) as wake:
            while True:
                wake.clear()
                try:
                    await self._catch_up()
                except CoxswainError as error:
                    log.warning("the event log cannot be read", code=error.code)
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                await asyncio.sleep(TICK_SECONDS)
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await wake.wait()
                except TimeoutError:
                    continue

    async def _catch_up(self) -> None:
        if self._base is None:
            self._last = self._base = await self._store.run(events.head)
            self._tell()
        while True:
            page = await self._store.run(events.after, self._last, most_bytes=RING_BYTES)
            if page.events:
                self._keep(page.events)
                self._tell()
            if not page.more:
                return

    def _keep(self, found: Sequence[StoredEvent]) -> None:
        for event in found:
            self._ring.append(_Kept(event, _weight(event)))
            self._bytes += self._ring[-1].bytes
        self._last = found[-1].position
        while len(self._ring) > RING_EVENTS or self._bytes > RING_BYTES:
            dropped = self._ring.popleft()
            self._bytes -= dropped.bytes
            self._base = dropped.event.position

    def _tell(self) -> None:
        for wake in self._wakes:
            wake.set()


def _weight(event: StoredEvent) -> int:
    return 500 + sum(len(str(value)) for value in event.event.details.values())
