"""One reader's way along the log: out of memory where it keeps up, out of Postgres where it is behind.

It holds a position and nothing else, so a reader that is slow costs no memory. What it takes in one go is
bounded in events and in bytes.
"""

from collections.abc import Sequence

from coxswain.sidecar.tail import Tail
from coxswain.store import events
from coxswain.store.events import Filter, Page, Resync, StoredEvent
from coxswain.store.pool import Connection, Store

CHUNK_EVENTS = 200
CHUNK_BYTES = 262_144


class Follower:
    """``position`` is how far was looked; every event up to it that passes and is kept has been given."""

    def __init__(self, store: Store, tail: Tail, which: Filter, position: int) -> None:
        self._store = store
        self._tail = tail
        self._which = which
        self.position = position
        self.is_live = False
        """Whether it has come to the end of the log and has not fallen behind since."""
        self.has_moved = False
        """Whether the last look went further; otherwise there was nothing."""
        self.has_fallen = False
        """Whether the last look found that what came next was not in memory any more."""
        self.resync: Resync | None = None
        """Days that were dropped while this reader was on its way, if the last look came too late for some."""
        self._oldest: int | None = None

    @property
    def head(self) -> int:
        """How far the log has come, as far as this process knows."""
        return max(self.position, self._tail.position or 0)

    async def next(self, limit: int = CHUNK_EVENTS) -> Sequence[StoredEvent]:
        """What comes next and passes: nothing, or at most so many events and CHUNK_BYTES and one event."""
        before = self.position
        self.resync = None
        near = self._tail.since(before, min(limit, CHUNK_EVENTS), CHUNK_BYTES)
        found = await self._from_store(limit) if near is None else self._from_memory(near)
        self.has_moved = self.position > before
        self.has_fallen = near is None and self.is_live
        self.is_live = near is not None and (self.is_live or not self.has_moved)
        return found

    def _from_memory(self, near: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        if near:
            self.position = near[-1].position
        return [event for event in near if self._which.passes(event)]

    async def _from_store(self, limit: int) -> Sequence[StoredEvent]:
        most = min(limit, CHUNK_EVENTS)
        page, kept = await self._store.run(_read, self.position, self._which, most)
        if self._oldest is not None and kept.oldest > max(self._oldest, self.position + 1):
            self.resync = kept
        self._oldest = kept.oldest
        self.position = page.next
        return page.events


async def _read(
    connection: Connection, position: int, which: Filter, most: int
) -> tuple[Page, Resync]:
    page = await events.after(connection, position, which, limit=most, most_bytes=CHUNK_BYTES)
    # Asked last: what is still kept now was there when the page was read.
    return page, await events.kept(connection)
