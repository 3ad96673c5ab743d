"""What is to be published of our objects: the mirror's row, the events of their edges, their callbacks.

It waits in memory until Postgres has it. After a restart the comparison of mirror and live finds
what is missing, and derived ids make a repeat harmless.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from coxswain.api.deliveries import NewDelivery
from coxswain.errors import CoxswainError, FencedError, TransientError
from coxswain.reconcile import outbox
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.fence import Fence
from coxswain.store import deliveries, events, mirror
from coxswain.store.events import Event
from coxswain.store.mirror import ObjectRow
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

log = structlog.get_logger()

BATCH = 200
GATHER_SECONDS = 0.02
PERIOD_SECONDS = 0.1
RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    raw: Raw
    happened: Callable[[], Sequence[Event]]
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What Postgres holds of an object: its version, and the events and callbacks that were sent."""

    version: str
    sent: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class _Page:
    """What goes in one transaction. The last word on an object goes only with its first end."""

    rows: Sequence[ObjectRow]
    owed: Sequence[NewDelivery]
    events: Sequence[Event]
    last_words: Mapping[str, Event]


class Journal:
    """One line of publications; the newest form of an object takes the place of an older one."""

    def __init__(self, fence: Fence, period_seconds: float = PERIOD_SECONDS) -> None:
        """``period_seconds`` lie between the beginnings of two batches that are not full."""
        self._fence = fence
        self._period = period_seconds
        self._waiting: dict[str, _Entry] = {}
        self._recorded: dict[str, _Recorded] = {}
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    def publish(self, kind: str, raw: Raw, happened: Callable[[], Sequence[Event]]) -> None:
        """Have an object's row and events written."""
        metadata = raw["metadata"]
        if not self.holds(metadata["uid"], metadata["resourceVersion"]):
            self._line_up(metadata["uid"], _Entry(kind, raw, happened))

    def vanished(self, kind: str, raw: Raw, happened: Callable[[], Sequence[Event]]) -> None:
        """Have it recorded that an object is gone; the last event is its end, written once."""
        self._line_up(raw["metadata"]["uid"], _Entry(kind, raw, happened, is_gone=True))

    def holds(self, uid: str, version: str) -> bool:
        """Whether Postgres holds this very form of the object."""
        known = self._recorded.get(uid)
        return known is not None and known.version == version

    def remember(self, uid: str, version: str) -> None:
        """The mirror was read: it holds that form, events included."""
        self._recorded.setdefault(uid, _Recorded(version))

    async def run(self) -> None:
        """Write what is lined up, in batches, until cancelled; wait while Postgres is away."""
        loop, delay, next_at = asyncio.get_running_loop(), RETRY_SECONDS, 0.0
        while True:
            await self._filled.wait()
            # What comes together costs less than another transaction.
            if len(self._waiting) < BATCH:
                await asyncio.sleep(max(GATHER_SECONDS, next_at - loop.time()))
            next_at = loop.time() + self._period
            batch = dict(list(self._waiting.items())[:BATCH])
            try:
                await self._write_some(batch)
            except TransientError as error:
                self._fence.note(error)
                await asyncio.sleep(delay)
                delay = min(LONGEST_RETRY_SECONDS, delay * 2)
                continue
            delay = RETRY_SECONDS

    async def drain(self, seconds: float) -> bool:
        """Wait until everything lined up is written, at most so long; tell whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._drained.wait()
        except TimeoutError:
            return False
        return True

    async def _write_some(self, batch: dict[str, _Entry]) -> None:
        """Write a batch; if the database refuses it, one by one, without what it refuses."""
        try:
            await self._write(batch)
        except (FencedError, TransientError):
            raise
        except CoxswainError as error:
            if len(batch) > 1:
                for uid, entry in batch.items():
                    await self._write_some({uid: entry})
                return
            for uid, entry in batch.items():
                log.exception("not recorded", kind=entry.kind, uid=uid, error=error.message)
                metrics.RECORDS_REFUSED.inc()
                self._take_off(uid, entry)

    async def _write(self, batch: dict[str, _Entry]) -> None:
        rows = [row_of(entry.kind, entry.raw) for entry in batch.values()]
        fresh: list[Event] = []
        owed: list[NewDelivery] = []
        last_words: dict[str, Event] = {}
        sent: dict[str, frozenset[UUID]] = {}
        for uid, entry in batch.items():
            happened = list(entry.happened())
            due = outbox.of(entry.kind, entry.raw)
            sent[uid] = frozenset([*(each.id for each in happened), *(each.id for each in due)])
            if entry.is_gone:
                last_words[uid] = happened.pop()
            known = self._recorded[uid].sent if uid in self._recorded else frozenset()
            fresh.extend(event for event in happened if event.id not in known)
            owed.extend(each for each in due if each.id not in known)
        await self._fence.write(_publish, _Page(rows, owed, fresh, last_words))
        for uid, entry in batch.items():
            self._take_off(uid, entry)
            if entry.is_gone:
                self._recorded.pop(uid, None)
            else:
                version = entry.raw["metadata"]["resourceVersion"]
                self._recorded[uid] = _Recorded(version, sent[uid])

    def _line_up(self, uid: str, entry: _Entry) -> None:
        waiting = self._waiting.get(uid)
        if waiting is not None and waiting.is_gone:
            return
        self._waiting[uid] = entry
        metrics.RECORDS_WAITING.set(len(self._waiting))
        self._filled.set()
        self._drained.clear()

    def _take_off(self, uid: str, entry: _Entry) -> None:
        if self._waiting.get(uid) is entry:
            del self._waiting[uid]
        metrics.RECORDS_WAITING.set(len(self._waiting))
        if not self._waiting:
            self._filled.clear()
            self._drained.set()


async def _publish(connection: Connection, page: _Page) -> None:
    await mirror.write(connection, page.rows, ())
    if page.owed:
        await deliveries.owe(connection, page.owed)
    # The head of the log may be locked from here on: leases of what is gone tell of their end.
    gone = list(page.last_words)
    newly = await mirror.mark_deleted(connection, gone, ()) if gone else ()
    happened = [*page.events, *(page.last_words[uid] for uid in newly)]
    if happened:
        await events.append(connection, happened)


def row_of(kind: str, raw: Raw) -> ObjectRow:
    """An object as the mirror keeps it."""
    metadata = raw["metadata"]
    return ObjectRow(
        uid=metadata["uid"],
        kind=kind,
        workspace=metadata["namespace"],
        name=metadata["name"],
        generation=int(metadata.get("generation", 0)),
        resource_version=metadata["resourceVersion"],
        phase=str((raw.get("status") or {}).get("phase") or ""),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        body=dict(raw),
    )
