"""Live streams: server-sent events whose id is a position, so that a reader goes on where it was.

A stream that is written to slower than its client reads costs nothing; a client that does not read
at all is cut off after a while and comes back with its position. A page that waits for its first event
follows the same log in the same way.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from coxswain.errors import TransientError
from coxswain.sidecar.deltas import Deltas
from coxswain.sidecar.follower import Follower
from coxswain.sidecar.frames import Frames
from coxswain.sidecar.live_stream import Inputs, LiveStream, Pace, Wanted, until
from coxswain.sidecar.sessions import Sessions
from coxswain.sidecar.tail import Tail
from coxswain.store import events
from coxswain.store.events import Filter, Page, Resync
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.telemetry import metrics, pool_metrics, stream_metrics
from coxswain.web.routes import AGAIN, CALLER


class Streams:
    """All live streams of this process."""

    def __init__(self, store: Store, listener: Listener, *, limit: int, pace: Pace) -> None:
        self._store = store
        self._tail = Tail(store, listener)
        self._sessions = Sessions(store, listener)
        self._deltas = Deltas(store, listener)
        self._made = Frames()
        self._limit = limit
        self.pace = pace
        self._open: set[asyncio.Event] = set()
        self._is_stopping = False
        pool_metrics.STREAMS_MOST.set(limit)

    async def run(self) -> None:
        """Follow what the streams give, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for work in (self._tail.run(), self._sessions.run(), self._deltas.run()):
                group.create_task(work)

    async def stop(self, _app: web.Application) -> None:
        """End all streams, in order."""
        self._is_stopping = True
        for wake in self._open:
            wake.set()

    async def start_of(self, position: int | None) -> tuple[int, Resync | None]:
        """Where a stream begins: at a position, or for None at what comes next.

        A position that was dropped begins at the oldest one, with the resync to tell. Raises
        UserError position_unknown.
        """
        if position is None:
            return await self._store.run(events.head), None
        resync = await self._store.run(events.locate, position)
        return (position, None) if resync is None else (max(position, resync.oldest - 1), resync)

    async def serve(
        self, request: web.Request, wanted: Wanted, resync: Resync | None = None
    ) -> web.StreamResponse:
        """Write events until the last one, the client's leave, or the end of the process."""
        stream = LiveStream(request, wanted, self.pace, lambda: self._is_stopping)
        caller = str(request[CALLER])
        with self._admitted() as wake, self._deltas.watch(wanted.job, wake) as heard:
            async with self._sessions.seat(caller, wanted.session, wake) as seat:
                follower = self._follower(wanted.which, wanted.position)
                inputs = Inputs(follower, heard, seat, self._made, wake)
                return await stream.serve(inputs, resync)

    async def next_page(
        self, request: web.Request, which: Filter, after: int, *, limit: int, seconds: float
    ) -> Page:
        """Wait for what comes after a position; an empty page when the time is over."""
        until_at = time.monotonic() + seconds
        follower = self._follower(which, after)
        with self._admitted() as wake, stream_metrics.LONG_POLLS_WAITING.track_inprogress():
            while True:
                wake.clear()
                found = await follower.next(limit)
                left = until_at - time.monotonic()
                if found or left <= 0 or self._is_stopping or request.transport is None:
                    break
                if not follower.has_moved:
                    await until(wake, min(left, self.pace.again_seconds))
        # It may have waited for long: tokens end, and rights.
        await request[AGAIN].check()
        return Page(tuple(found), follower.position, more=follower.position < follower.head)

    def _follower(self, which: Filter, position: int) -> Follower:
        return Follower(self._store, self._tail, which, position)

    @contextmanager
    def _admitted(self) -> Iterator[asyncio.Event]:
        """A place among the streams; what is given is set whenever one of them should look."""
        if len(self._open) >= self._limit:
            raise TransientError(
                f"{self._limit} streams are open here already", code="too_many_streams"
            )
        with self._tail.subscribe() as wake:
            self._open.add(wake)
            metrics.STREAMS_OPEN.set(len(self._open))
            try:
                yield wake
            finally:
                self._open.discard(wake)
                metrics.STREAMS_OPEN.set(len(self._open))
