"""Tells the API what models say while they say it, for Jobs that somebody watches; of all others, nothing.

What is said within a tick goes out together, for all runs in one statement. It never waits and never fails a
call: what does not fit into a tick is dropped, and the offsets of what follows show the hole.
"""

import asyncio
import contextlib
import itertools
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol
from uuid import uuid4

from coxswain.api.contract import RunDocument
from coxswain.errors import CoxswainError
from coxswain.store import deltas
from coxswain.store.deltas import PIECE_CHARACTERS, Piece
from coxswain.store.pool import Store
from coxswain.telemetry import logs, stream_metrics

TICK_SECONDS = 0.2
# An answer that ends is told of at once; still there is a pause between two flushes.
PAUSE_SECONDS = 0.05
# A watcher says that it watches every 5 s.
WATCHED_SECONDS = 16.0
MOST_WATCHED = 20_000
MOST_PIECES = 500
MOST_PIECES_OF_CALL = 8

log = logs.get(__name__)


class Ear(Protocol):
    """Who takes the pieces of all calls."""

    def offer(self, piece: Piece) -> None:
        """Take a piece, or drop it."""
        ...

    def hurry(self, call: str) -> None:
        """The answer of this call is over."""
        ...


class Hears(Protocol):
    """Where it comes from who watches."""

    def hear(self, channel: str) -> AbstractContextManager["asyncio.Queue[str]"]:
        """What a channel says."""
        ...


class Voice:
    """What one call of a model says."""

    def __init__(self, told: Ear, run: RunDocument) -> None:
        self._told = told
        self._job_uid = run.job_uid
        self._attempt = run.attempt
        self._call = uuid4().hex
        self._offset = 0

    def say(self, text: str) -> None:
        """Pass on what comes next; it counts also where nobody hears it."""
        for start in range(0, len(text), PIECE_CHARACTERS):
            part = text[start : start + PIECE_CHARACTERS]
            piece = Piece(self._job_uid, self._attempt, self._call, self._offset, part)
            self._offset += len(part)
            self._told.offer(piece)

    def end(self) -> None:
        """The answer is over: what waits goes out before the tick."""
        self._told.hurry(self._call)


class Deltas:
    """Of all calls of this process; ``run`` is its task."""

    def __init__(
        self, store: Store, listener: Hears, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` gives seconds, from any zero."""
        self._clock = clock
        self._store = store
        self._listener = listener
        self._watched: dict[str, float] = {}
        self._waiting: dict[str, list[Piece]] = {}
        self._count = 0
        self._filled = asyncio.Event()
        self._hurry = asyncio.Event()

    def voice(self, run: RunDocument) -> Voice:
        """For a new call of this run."""
        return Voice(self, run)

    def is_watched(self, job_uid: str) -> bool:
        """Whether somebody follows this Job's stream."""
        return self._watched.get(job_uid, -math.inf) >= self._clock()

    def offer(self, piece: Piece) -> None:
        """Keep a piece for the next flush, if its Job is watched and there is room."""
        if not self.is_watched(piece.job_uid):
            return
        pieces = self._waiting.setdefault(piece.call, [])
        last = pieces[-1] if pieces else None
        if last is not None and _fits(last, piece):
            pieces[-1] = replace(last, text=last.text + piece.text)
        elif len(pieces) < MOST_PIECES_OF_CALL and self._count < MOST_PIECES:
            pieces.append(piece)
            self._count += 1
        else:
            stream_metrics.DELTAS_TOLD.labels("dropped").inc()
        self._filled.set()

    def hurry(self, call: str) -> None:
        """Do not wait for the tick, if this call has something to tell."""
        if call in self._waiting:
            self._hurry.set()

    async def run(self) -> None:
        """Hear who watches, and tell them, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear())
            group.create_task(self._tell())

    async def _hear(self) -> None:
        with self._listener.hear(deltas.WATCHED) as said:
            while True:
                jobs = deltas.watched(await said.get())
                now = self._clock()
                self._watched = {job: until for job, until in self._watched.items() if until > now}
                new = [job for job in jobs if job not in self._watched]
                refused = set(new[MOST_WATCHED - len(self._watched) :])
                taken = [job for job in jobs if job not in refused]
                self._watched |= dict.fromkeys(taken, now + WATCHED_SECONDS)

    async def _tell(self) -> None:
        while True:
            await self._filled.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._hurry.wait()
            await self._flush()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _flush(self) -> None:
        pieces = list(itertools.chain.from_iterable(self._waiting.values()))
        self._waiting, self._count = {}, 0
        self._filled.clear()
        self._hurry.clear()
        try:
            await self._store.run(deltas.tell, list(deltas.packed(pieces)))
        except CoxswainError as error:
            stream_metrics.DELTAS_TOLD.labels("dropped").inc(len(pieces))
            log.warning("what models say cannot be told", code=error.code)
        else:
            stream_metrics.DELTAS_TOLD.labels("told").inc(len(pieces))


def _fits(last: Piece, piece: Piece) -> bool:
    """Whether a piece goes on where the last one ended, with nothing dropped between, and there is room in it."""
    return last.end == piece.offset and len(last.text) + len(piece.text) <= PIECE_CHARACTERS
