"""The event log: append in batches, read by position. Rows are never changed.

Positions count up without a hole, in the order of commits, so a reader that asks for what comes
after its last position never misses one. An id that is there already takes no position, so a
repeat is harmless.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from coxswain.api.event_types import registry
from coxswain.api.records import Event as Event
from coxswain.errors import CoxswainError, UserError
from coxswain.store import pool, uuid7
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

CHANNEL = "coxswain_events"
PAGE = 1000
# How far a filtered read looks in one go; it may come back with less than it may hold.
WINDOW = 5000


@dataclass(frozen=True)
class StoredEvent:
    """An event as it stands in the log."""

    position: int
    at: datetime
    recorded_at: datetime
    event: Event


@dataclass(frozen=True)
class Appended:
    """What a batch came to: the log's last position now, and how many events were new."""

    last_position: int
    accepted: int


@dataclass(frozen=True)
class Filter:
    """Which events to read. ``type`` matches a whole type, or with a dot at its end a prefix."""

    type: str | None = None
    workspace: str | None = None
    uid: str | None = None
    attempt: int | None = None
    workspaces: frozenset[str] | None = None
    """Those that may be told of; None: all, and what belongs to none."""

    @property
    def is_open(self) -> bool:
        """Whether every event passes."""
        return self == Filter()


@dataclass(frozen=True)
class Page:
    """Events after a position, and where to go on: ``next`` may lie past the last of them."""

    events: tuple[StoredEvent, ...]
    next: int
    more: bool


@dataclass(frozen=True)
class Resync:
    """The position asked for is not in the log any more; ``oldest`` is the first that is kept."""

    oldest: int
    head: int


def derived_id(uid: str, attempt: int, edge: str, at: datetime) -> UUID:
    """The one id of an edge in the life of an object, however often it is written.

    ``at`` is the edge's own time, as it stands in the object's status.
    """
    return uuid7.derived(at, uid, attempt, edge)


async def append(
    connection: Connection, batch: Sequence[Event], *, windowed: bool = False
) -> Appended:
    """Append in one statement; in a longer transaction, as the last one: it locks the head.

    ``windowed`` refuses ids of more than 10 minutes ahead or 7 days back with UserError
    event_time; every door for others sets it. Raises CoxswainError for a type that is not registered.
    """
    if strange := [event.type for event in batch if not registry.is_known(event.type)]:
        raise CoxswainError(f"there is no type of event {strange[0]}", code="event_type_unknown")
    # unnest keeps the batch's order; the function takes positions under the head row's lock.
    row = await connection.fetchrow(
        "SELECT last_position, accepted FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9,"
        " $10, $11, $12, $13)",
        [event.id for event in batch],
        [event.type for event in batch],
        [event.actor for event in batch],
        [event.workspace for event in batch],
        [event.kind for event in batch],
        [event.name for event in batch],
        [event.uid for event in batch],
        [event.attempt for event in batch],
        [event.seq for event in batch],
        [pool.encode(event.details) for event in batch],
        windowed,
        [event.version for event in batch],
        [event.type in registry.SECURITY for event in batch],
    )
    appended = _appended(row)
    metrics.EVENTS_APPENDED.inc(appended.accepted)
    return appended


async def head(connection: Connection) -> int:
    """The position of the newest event."""
    position: int = await connection.fetchval("SELECT position FROM event_head")
    return position


async def locate(connection: Connection, position: int) -> Resync | None:
    """Check where a reader wants to go on from. None: it is a place of this log.

    Raises UserError position_unknown for a position that was never given out.
    """
    found = await _locate(connection, position)
    if isinstance(found, UserError):
        # After a restore the head leaps with the next append; a reader may come before it.
        await connection.execute("SELECT adopt_event_head()")
        found = await _locate(connection, position)
    if isinstance(found, UserError):
        raise found
    return found


async def _locate(connection: Connection, position: int) -> Resync | UserError | None:
    # Without holes, a position is good if an event stands there, or if it is an end of the log.
    row = await connection.fetchrow(
        "SELECT position, oldest, EXISTS (SELECT FROM events WHERE events.position = $1) AS stands"
        " FROM event_head",
        position,
    )
    if row is None or position > row["position"]:
        return UserError(
            f"no event has position {position} yet", code="position_unknown", field="after"
        )
    if row["stands"] or position == row["oldest"] - 1 or position == row["position"]:
        return None
    return Resync(oldest=row["oldest"], head=row["position"])


async def after(
    connection: Connection, position: int, which: Filter = Filter(), *, limit: int = PAGE
) -> Page:
    """Read the events after a position, oldest first.

    A filter looks at most WINDOW positions ahead, so a page may be empty and ``more`` still true.
    """
    if which.uid is not None:
        return await _of_object(connection, position, which, limit)
    window = limit if which.is_open else max(limit, WINDOW)
    # The inner read goes along the positions and is bounded, whatever the filter lets through.
    rows = await connection.fetch(
        "SELECT *, (type = $3 OR right($3, 1) = '.' AND starts_with(type, $3) OR $3 IS NULL)"
        " AND (workspace = $4 OR $4 IS NULL) AND (workspace = ANY ($5::text[]) OR $5 IS NULL)"
        " AS passes"
        " FROM (SELECT * FROM events WHERE position > $1 ORDER BY position LIMIT $2) AS ahead"
        " ORDER BY position",
        position,
        window,
        which.type,
        which.workspace,
        None if which.workspaces is None else list(which.workspaces),
    )
    passing = [row for row in rows if row["passes"]]
    kept = passing[:limit]
    last = kept[-1] if len(passing) > limit else rows[-1] if rows else None
    return Page(
        events=tuple(stored(row) for row in kept),
        next=last["position"] if last is not None else position,
        more=len(rows) == window or len(passing) > limit,
    )


async def _of_object(connection: Connection, position: int, which: Filter, limit: int) -> Page:
    # Read first: whatever stands up to here is seen by the statement after it.
    top = await head(connection)
    # The index over (uid, position) finds the events of one object directly.
    rows = await connection.fetch(
        "SELECT * FROM events WHERE uid = $3 AND position > $1 AND position <= $7"
        " AND (type = $4 OR right($4, 1) = '.' AND starts_with(type, $4) OR $4 IS NULL)"
        " AND (workspace = $5 OR $5 IS NULL) AND (attempt = $6 OR $6 IS NULL)"
        " AND (workspace = ANY ($8::text[]) OR $8 IS NULL)"
        " ORDER BY position LIMIT $2",
        position,
        limit,
        which.uid,
        which.type,
        which.workspace,
        which.attempt,
        top,
        None if which.workspaces is None else list(which.workspaces),
    )
    more = len(rows) == limit
    return Page(
        events=tuple(stored(row) for row in rows),
        next=rows[-1]["position"] if more else max(top, position),
        more=more,
    )


def _appended(row: asyncpg.Record | None) -> Appended:
    if row is None:
        return Appended(last_position=0, accepted=0)
    return Appended(last_position=row["last_position"], accepted=row["accepted"])


def stored(row: asyncpg.Record) -> StoredEvent:
    """A row of the log."""
    event = Event(
        id=UUID(int=row["id"].int),
        type=row["type"],
        actor=row["actor"],
        workspace=row["workspace"],
        kind=row["kind"],
        name=row["name"],
        uid=str(row["uid"]) if row["uid"] is not None else None,
        attempt=row["attempt"],
        seq=row["seq"],
        details=row["details"],
        version=row["version"],
    )
    return StoredEvent(row["position"], row["at"], row["recorded_at"], event)
