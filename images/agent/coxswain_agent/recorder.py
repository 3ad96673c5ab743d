"""Events on their way out: numbered here, sent in batches, kept in bounds while nobody takes them.

    record  what the log must have; waits while the buffer is full
    offer   a piece of output; refused while the buffer is over half full, since the whole output
            is kept beside it and becomes an artifact

Nothing numbered is ever dropped: a batch is sent again, unchanged, until it is taken or the run ends.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque

from coxswain.api.contract import RunEvent
from coxswain.api.event_type import D, EventType
from coxswain.api.event_types.run import RUN_OUTPUT, Output, Stream
from coxswain.errors import TransientError
from coxswain_agent import backoff
from coxswain_agent.clock import RunClock
from coxswain_agent.contract import Platform
from coxswain_agent.errors import RefusedError

BATCH_EVENTS = 100
BATCH_BYTES = 1_048_576
BUFFER_BYTES = 8_388_608
OUTPUT_BYTES = BUFFER_BYTES // 2
MERGE_CHARACTERS = 16_384
OVERHEAD = 200

log = logging.getLogger(__name__)


class Recorder:
    """One per run; ``run`` is its task, everything else is called beside it."""

    def __init__(
        self, platform: Platform, clock: RunClock, *, last_seq: int, flush_seconds: float
    ) -> None:
        self._platform = platform
        self._clock = clock
        self._seq = last_seq
        self._flush_seconds = flush_seconds
        self._waiting: deque[RunEvent] = deque()
        self._bytes = 0
        self._sending: list[RunEvent] = []
        self._filled = asyncio.Event()
        self._hurry = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._room = asyncio.Event()
        self._room.set()
        self._is_over = False
        self.refused = 0

    @property
    def pending(self) -> int:
        """Events that the platform has not taken yet."""
        return len(self._waiting) + len(self._sending)

    async def record(self, what: EventType[D], data: D) -> None:
        """Number an event and put it in line."""
        await self._room.wait()
        self._append(what, data)

    def offer(self, stream: Stream, text: str) -> bool:
        """Put a piece of output in line, or say that there is no room for it."""
        if self._bytes + len(text) > OUTPUT_BYTES:
            return False
        if self._waiting and _takes(self._waiting[-1], stream, text):
            self._waiting[-1].details["text"] += text
            self._count(len(text))
        else:
            self._append(RUN_OUTPUT, Output(stream=stream, text=text))
        return True

    async def run(self) -> None:
        """Send until cancelled. Raises ClosedError when the run is no longer ours."""
        try:
            while True:
                await self._filled.wait()
                if len(self._waiting) < BATCH_EVENTS and not self._hurry.is_set():
                    await self._wait_for_more()
                await self._send()
        finally:
            # Nobody sends any more, so nobody is to wait for it.
            self._is_over = True
            self._idle.set()

    async def drain(self, until: float) -> bool:
        """Hurry the sending and wait for its end, at most until then; False if some are left."""
        self._hurry.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), max(0.0, until - time.monotonic()))
        return not self.pending

    async def _wait_for_more(self) -> None:
        try:
            await asyncio.wait_for(self._hurry.wait(), self._flush_seconds)
        except TimeoutError:
            return

    async def _send(self) -> None:
        self._take()
        failures = 0
        while self._sending:
            try:
                await self._platform.append(self._sending)
            except TransientError as error:
                log.warning("events wait: the platform does not take them: %s", error)
                failures += 1
                await asyncio.sleep(backoff.pause(failures, error))
                continue
            except RefusedError as error:
                self.refused += len(self._sending)
                log.error("%d events are refused and lost: %s", len(self._sending), error)  # noqa: TRY400
            self._sending = []
        if not self._waiting:
            self._idle.set()

    def _take(self) -> None:
        size = 0
        while self._waiting and len(self._sending) < BATCH_EVENTS and size < BATCH_BYTES:
            event = self._waiting.popleft()
            size += _size(event)
            self._sending.append(event)
        self._count(-size)
        if not self._waiting:
            self._filled.clear()

    def _append(self, what: EventType[D], data: D) -> None:
        self._seq += 1
        event = RunEvent(
            id=self._clock.event_id(),
            seq=self._seq,
            type=what.name,
            event_version=what.version,
            details=data.to_wire(),
        )
        self._waiting.append(event)
        self._count(_size(event))
        self._filled.set()
        if not self._is_over:
            self._idle.clear()

    def _count(self, change: int) -> None:
        self._bytes += change
        if self._bytes < BUFFER_BYTES:
            self._room.set()
        else:
            self._room.clear()


def _takes(last: RunEvent, stream: str, text: str) -> bool:
    if last.type != RUN_OUTPUT.name or last.details.get("stream") != stream:
        return False
    return len(last.details["text"]) + len(text) <= MERGE_CHARACTERS


def _size(event: RunEvent) -> int:
    return OVERHEAD + sum(len(str(value)) for value in event.details.values())
