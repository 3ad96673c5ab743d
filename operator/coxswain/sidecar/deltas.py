"""What models say while they say it, from the gateways' notifications to the streams of the Jobs that are watched.

Bounded and lossy: a stream that is not read drops what comes, and its reader sees by the offsets that
something is missing.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from coxswain.errors import CoxswainError
from coxswain.sidecar import frames
from coxswain.store import deltas
from coxswain.store.deltas import Piece
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.telemetry import logs, stream_metrics

# A gateway believes in a watcher for some of these.
WATCH_SECONDS = 5.0
# Streams that are opened at the same time are told of together.
GATHER_SECONDS = 0.05
UNREAD_BYTES = 65_536

log = logs.get(__name__)


class Heard:
    """What one stream has not written yet."""

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake
        self._frames: list[bytes] = []
        self._bytes = 0

    def add(self, frame: bytes) -> None:
        """Keep a frame for the next write, if there is room."""
        if self._bytes + len(frame) > UNREAD_BYTES:
            stream_metrics.DELTAS_GIVEN.labels("dropped").inc()
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        self._wake.set()

    def take(self) -> Sequence[bytes]:
        """What came since the last time."""
        taken, self._frames, self._bytes = self._frames, [], 0
        stream_metrics.DELTAS_GIVEN.labels("given").inc(len(taken))
        return taken


class Deltas:
    """Of all streams of this process."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store = store
        self._listener = listener
        self._watchers: dict[str, set[Heard]] = {}
        self._changed = asyncio.Event()

    @contextmanager
    def watch(self, job_uid: str | None, wake: asyncio.Event) -> Iterator[Heard]:
        """Hear what models say to a Job for the length of a block; ``wake`` is set when they do."""
        heard = Heard(wake)
        if job_uid is None:
            yield heard
            return
        watchers = self._watchers.setdefault(job_uid, set())
        watchers.add(heard)
        self._changed.set()
        try:
            yield heard
        finally:
            watchers.discard(heard)
            if not watchers:
                self._watchers.pop(job_uid, None)

    async def run(self) -> None:
        """Hear, and tell gateways which Jobs are watched, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear())
            group.create_task(self._tell())

    async def _hear(self) -> None:
        with self._listener.hear(deltas.CHANNEL) as said:
            while True:
                for piece in deltas.unpacked(await said.get()):
                    self._pass_on(piece)

    def _pass_on(self, piece: Piece) -> None:
        watchers = self._watchers.get(piece.job_uid)
        if not watchers:
            return
        frame = frames.delta(piece)
        for each in watchers:
            each.add(frame)

    async def _tell(self) -> None:
        while True:
            try:
                async with asyncio.timeout(WATCH_SECONDS if self._watchers else None):
                    await self._changed.wait()
                await asyncio.sleep(GATHER_SECONDS)
            except TimeoutError:
                pass
            self._changed.clear()
            if self._watchers:
                await self._say_who_watches()

    async def _say_who_watches(self) -> None:
        try:
            await self._store.run(deltas.watch, sorted(self._watchers))
        except CoxswainError as error:
            log.warning("gateways cannot be told which Jobs are watched", code=error.code)
