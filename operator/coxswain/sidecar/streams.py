"""Live streams: server-sent events whose id is a position, so that a reader goes on where it was.

A stream that is written to slower than its client reads costs nothing; a client that does not read
at all is cut off after a while and comes back with its position.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from coxswain.errors import CoxswainError, TransientError, UserError
from coxswain.sidecar import views
from coxswain.sidecar.tail import Tail
from coxswain.sidecar.wire import ResyncView
from coxswain.store import events
from coxswain.store.events import Filter, Resync, StoredEvent
from coxswain.store.pool import Store
from coxswain.telemetry import logs, metrics, pool_metrics
from coxswain.web import denials, request_ids
from coxswain.web.routes import AGAIN
from coxswain.web.server import STOPPING

log = logs.get(__name__)

PING_SECONDS = 15.0
WRITE_SECONDS = 30.0
WAIT_SECONDS = 5.0
CHUNK_EVENTS = 200
AGAIN_SECONDS = 5.0
RESYNC = "resync"
CLOSED = "closed"
Frame = Callable[[StoredEvent], bytes]


@dataclass(frozen=True)
class Wanted:
    """What a stream gives: which events, from where on, in which form, until when."""

    which: Filter
    position: int
    frame: Frame
    is_last: Callable[[StoredEvent], bool]


class Streams:
    """All live streams of this process."""

    def __init__(
        self, store: Store, tail: Tail, *, limit: int, again_seconds: float = AGAIN_SECONDS
    ) -> None:
        """Each stream's reader is looked at again after so many seconds: tokens end, and rights."""
        self._store = store
        self._tail = tail
        self._limit = limit
        self.again_seconds = again_seconds
        """How often it is asked again who reads an answer that goes on for long."""
        self._open = 0
        pool_metrics.STREAMS_MOST.set(limit)

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
        if self._open >= self._limit:
            raise TransientError(
                f"{self._limit} streams are open here already", code="too_many_streams"
            )
        self._open += 1
        metrics.STREAMS_OPEN.set(self._open)
        try:
            return await self._serve(request, wanted, resync)
        finally:
            self._open -= 1
            metrics.STREAMS_OPEN.set(self._open)

    async def _serve(
        self, request: web.Request, wanted: Wanted, resync: Resync | None
    ) -> web.StreamResponse:
        response = EventSourceResponse(
            headers={request_ids.HEADER: request_ids.current()},
            ping_interval=PING_SECONDS,
            send_timeout=WRITE_SECONDS,
        )
        await response.prepare(request)
        async with response:
            try:
                if resync is not None:
                    metrics.STREAM_RESYNCS.inc()
                    await _write(response, [_resync(resync)])
                await self._follow(response, wanted, request)
            except ConnectionError:
                log.debug("a client left its stream")
            except TimeoutError:
                # It reads nothing; a graceful end would wait for it.
                if request.transport is not None:
                    request.transport.abort()
            except UserError as error:
                await denials.denied(request, error)
                await _write(response, [_closed(error)])
            except CoxswainError as error:
                # The client comes back with its position.
                log.warning("a stream was ended", code=error.code, reason=error.message)
        return response

    async def _follow(
        self, response: EventSourceResponse, wanted: Wanted, request: web.Request
    ) -> None:
        position, stopping, is_live = wanted.position, request.app[STOPPING], False
        allowed_until = time.monotonic() + self.again_seconds
        while response.is_connected() and not stopping.is_set():
            if time.monotonic() >= allowed_until:
                await request[AGAIN].check()
                allowed_until = time.monotonic() + self.again_seconds
            found, position_now = await self._next(wanted.which, position)
            if found:
                await _write(response, [wanted.frame(event) for event in found])
                if is_live:
                    _measure(found[-1])
                if any(wanted.is_last(event) for event in found):
                    return
            if position_now == position:
                await self._wait(position, stopping)
                is_live = True
            position = position_now

    async def _next(self, which: Filter, position: int) -> tuple[Sequence[StoredEvent], int]:
        """What comes next and passes the filter, and how far was looked."""
        near = self._tail.since(position, CHUNK_EVENTS)
        if near is None:
            page = await self._store.run(events.after, position, which, limit=CHUNK_EVENTS)
            return page.events, page.next
        last = near[-1].position if near else position
        return [event for event in near if _passes(which, event)], last

    async def _wait(self, position: int, stopping: asyncio.Event) -> None:
        waits = {
            asyncio.ensure_future(self._tail.more(position, min(WAIT_SECONDS, self.again_seconds))),
            asyncio.ensure_future(stopping.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


def _measure(newest: StoredEvent) -> None:
    late = (datetime.now(UTC) - newest.recorded_at).total_seconds()
    pool_metrics.STREAM_LAG_SECONDS.observe(max(0.0, late))


def _passes(which: Filter, stored: StoredEvent) -> bool:
    event = stored.event
    wanted = which.type
    if wanted is not None and event.type != wanted:
        return wanted.endswith(".") and event.type.startswith(wanted) and _is_of(which, stored)
    return _is_of(which, stored)


def _is_of(which: Filter, stored: StoredEvent) -> bool:
    event = stored.event
    return (
        which.workspace in {None, event.workspace}
        and (which.workspaces is None or event.workspace in which.workspaces)
        and which.uid in {None, event.uid}
        and which.attempt in {None, event.attempt}
    )


def _resync(resync: Resync) -> bytes:
    view = ResyncView(oldest=resync.oldest, head=resync.head)
    return views.message(view.model_dump_json(by_alias=True), name=RESYNC)


def _closed(error: UserError) -> bytes:
    """The last frame of a stream that its reader may follow no longer."""
    return views.message(json.dumps({"code": error.code, "message": error.message}), name=CLOSED)


async def _write(response: EventSourceResponse, frames: Sequence[bytes]) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(b"".join(frames))
