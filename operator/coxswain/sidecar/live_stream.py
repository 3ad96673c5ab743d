"""One live stream, from its first frame to its last: events, what models say meanwhile, and why it ends."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from coxswain.errors import CoxswainError, UserError
from coxswain.sidecar import frames
from coxswain.sidecar.deltas import Heard
from coxswain.sidecar.follower import Follower
from coxswain.sidecar.frames import Form, Frames
from coxswain.sidecar.sessions import REPLACED, Seat
from coxswain.store.events import Filter, Resync, StoredEvent
from coxswain.telemetry import logs, metrics, pool_metrics, stream_metrics
from coxswain.web import denials, request_ids
from coxswain.web.routes import AGAIN

KERNEL_SECONDS = 5.0

log = logs.get(__name__)


class End(StrEnum):
    """Why a stream ended."""

    OVER = "over"
    LEFT = "left"
    STALLED = "stalled"
    STOPPING = "stopping"
    REPLACED = "replaced"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class Pace:
    """How often things happen to a stream, in seconds."""

    again_seconds: float = 5.0
    """Its reader is looked at again: tokens end, and rights."""
    ping_seconds: float = 15.0
    """It is kept alive."""
    write_seconds: float = 30.0
    """A reader that does not take within this what is written, some hundred kilobytes, is cut off."""


@dataclass(frozen=True)
class Wanted:
    """What a stream gives: which events, from where on, in which form, until when."""

    which: Filter
    position: int
    form: Form
    is_last: Callable[[StoredEvent], bool]
    job: str | None = None
    """The Job whose models are heard, too."""
    session: str | None = None


@dataclass(frozen=True)
class Inputs:
    """Where a stream gets what it gives."""

    follower: Follower
    heard: Heard
    seat: Seat
    made: Frames
    wake: asyncio.Event
    """Set when any of them has something, and when the process is about to end."""


class LiveStream:
    """Writes until the last event, the reader's leave, or the end of the process."""

    def __init__(
        self, request: web.Request, wanted: Wanted, pace: Pace, is_stopping: Callable[[], bool]
    ) -> None:
        self._request = request
        self._wanted = wanted
        self._pace = pace
        self._is_stopping = is_stopping
        self._checked_at = time.monotonic()

    async def serve(self, inputs: Inputs, resync: Resync | None) -> web.StreamResponse:
        """The whole answer."""
        response = EventSourceResponse(
            headers={request_ids.HEADER: request_ids.current()},
            ping_interval=self._pace.ping_seconds,
            # The kernel gives up a peer that is gone; after us, who can tell it from one that is slow.
            send_timeout=self._pace.write_seconds + KERNEL_SECONDS,
        )
        await response.prepare(self._request)
        async with response:
            end = await self._until_end(response, inputs, resync)
        stream_metrics.ENDED.labels(end.value).inc()
        return response

    async def _until_end(
        self, response: EventSourceResponse, inputs: Inputs, resync: Resync | None
    ) -> End:
        try:
            await self._write(response, [frames.retry(), *_resync(resync)])
            return await self._follow(response, inputs)
        except ConnectionError:
            return End.LEFT
        except TimeoutError:
            # It reads nothing; a graceful end would wait for it.
            if self._request.transport is not None:
                self._request.transport.abort()
            return End.STALLED
        except UserError as error:
            await denials.denied(self._request, error)
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._write(response, [frames.closed(error)])
            return End.REPLACED if error.code == REPLACED else End.REFUSED
        except CoxswainError as error:
            # The reader comes back with its position.
            log.warning("a stream was ended", code=error.code, reason=error.message)
            return End.FAILED

    async def _follow(self, response: EventSourceResponse, inputs: Inputs) -> End:
        follower = inputs.follower
        while response.is_connected() and self._request.transport is not None:
            inputs.wake.clear()
            if self._is_stopping():
                return End.STOPPING
            inputs.seat.check()
            await self._check_again()
            was_live, position = follower.is_live, follower.position
            found = await follower.next()
            said = [*_resync(follower.resync), *inputs.heard.take()]
            if follower.has_fallen:
                stream_metrics.LAGGED.inc()
                said.append(frames.lagged(position, follower.head))
            await self._write(response, said + self._frames(inputs.made, found))
            _measure(found, is_live=was_live)
            if any(self._wanted.is_last(event) for event in found):
                return End.OVER
            if not follower.has_moved:
                due = self._checked_at + self._pace.again_seconds
                await until(inputs.wake, max(0.0, due - time.monotonic()))
        return End.LEFT

    async def _check_again(self) -> None:
        if time.monotonic() >= self._checked_at + self._pace.again_seconds:
            await self._request[AGAIN].check()
            self._checked_at = time.monotonic()

    def _frames(self, made: Frames, found: Sequence[StoredEvent]) -> list[bytes]:
        return [made.of(self._wanted.form, event) for event in found]

    async def _write(self, response: EventSourceResponse, parts: Sequence[bytes]) -> None:
        """All of it in one go: while much happens, a write costs more than its bytes."""
        if not parts:
            return
        stream_metrics.WRITES.inc()
        async with asyncio.timeout(self._pace.write_seconds):
            await response.write(b"".join(parts))


def _resync(found: Resync | None) -> list[bytes]:
    if found is None:
        return []
    metrics.STREAM_RESYNCS.inc()
    return [frames.resync(found)]


async def until(wake: asyncio.Event, seconds: float) -> None:
    """Wait for it, at most so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()


def _measure(found: Sequence[StoredEvent], *, is_live: bool) -> None:
    stream_metrics.EVENTS_SENT.inc(len(found))
    if found and is_live:
        late = (datetime.now(UTC) - found[-1].recorded_at).total_seconds()
        pool_metrics.STREAM_LAG_SECONDS.observe(max(0.0, late))
