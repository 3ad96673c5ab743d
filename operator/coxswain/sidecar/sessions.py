"""One stream per session: a second one of the same caller and session closes the first, at whichever replica it is.

Each stream that names a session is announced by a notification. All replicas hear all of them in one
order, so they agree which is the last. That is why a stream waits for its process to listen before it is
announced. One that was opened while its process could not listen for LISTENS_SECONDS is closed by none; it ends
as any other does.
"""

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from coxswain.errors import ConflictError
from coxswain.store.listener import Listener, notify
from coxswain.store.pool import Store

CHANNEL = "coxswain_sessions"
REPLACED = "session_replaced"
KNOWN = 1000
TIMES = 4
HEARD_SECONDS = 0.5
LISTENS_SECONDS = 2.0


@dataclass(eq=False)
class Seat:
    """The place of a stream in its session; ``announced`` is set once this process has heard of it."""

    wake: asyncio.Event
    id: str = field(default_factory=lambda: uuid4().hex)
    announced: asyncio.Event = field(default_factory=asyncio.Event)
    is_taken: bool = False

    def check(self) -> None:
        """Raise ConflictError session_replaced once a later stream has the session."""
        if self.is_taken:
            raise ConflictError("another stream has this session now", code=REPLACED)


class Sessions:
    """The sessions of all streams of this process."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store = store
        self._listener = listener
        self._seats: dict[str, set[Seat]] = {}
        self._known = deque[str](maxlen=KNOWN)

    async def run(self) -> None:
        """Hear who comes, until cancelled."""
        with self._listener.hear(CHANNEL) as said:
            while True:
                key, _, stream = (await said.get()).partition(" ")
                self._heard(key, stream)

    @asynccontextmanager
    async def seat(
        self, caller: str, session: str | None, wake: asyncio.Event
    ) -> AsyncIterator[Seat]:
        """Take the session for the length of a block; ``wake`` is set when another takes it."""
        seat = Seat(wake)
        if session is None:
            yield seat
            return
        key = hashlib.sha256(f"{caller}\n{session}".encode()).hexdigest()
        seats = self._seats.setdefault(key, set())
        seats.add(seat)
        try:
            await self._announce(key, seat)
            yield seat
        finally:
            seats.discard(seat)
            if not seats:
                self._seats.pop(key, None)

    async def _announce(self, key: str, seat: Seat) -> None:
        """Tell all, until this process has heard it too; saying it again is harmless."""
        with contextlib.suppress(TimeoutError):
            # Told earlier, it would not hear who comes after it, and both would stay.
            async with asyncio.timeout(LISTENS_SECONDS):
                await self._listener.until_listening()
        for _ in range(TIMES):
            await self._store.run(notify, CHANNEL, f"{key} {seat.id}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARD_SECONDS):
                    await seat.announced.wait()
                    return

    def _heard(self, key: str, stream: str) -> None:
        if stream in self._known:
            # Told again: whoever came meanwhile stays the last.
            return
        self._known.append(stream)
        for seat in self._seats.get(key, ()):
            if seat.id == stream:
                seat.announced.set()
            elif seat.announced.is_set():
                seat.is_taken = True
                seat.wake.set()
