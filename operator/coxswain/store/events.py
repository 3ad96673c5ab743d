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
from coxswain.store.event_filter import Filter as Filter
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

CHANNEL = "coxswain_events"
PAGE = 1000
ALL = Filter()
# How far a filtered read looks in one go; it may come back with less than it may hold.
WINDOW = 5000
# An event's Agent: itself, who did it, or whose Job it is about, as far as that Job's records go.
OF_AGENT = (
    " CROSS JOIN LATERAL (SELECT CASE WHEN ahead.kind = 'Agent' THEN ahead.name"
    " WHEN starts_with(ahead.actor, 'agent:') THEN split_part(ahead.actor, '/', 2)"
    " ELSE (SELECT mirror.object #>> '{spec,agentRef,name}' FROM mirror"
    " WHERE mirror.uid = ahead.uid AND mirror.workspace = ahead.workspace) END AS agent) AS whose"
)
_HAS_TYPE = (
    "($4::text[] IS NULL OR ahead.type = ANY ($4) OR EXISTS (SELECT FROM unnest($4) AS given"
    " WHERE right(given, 1) = '.' AND starts_with(ahead.type, given)))"
)
PASSES = (
    f"{_HAS_TYPE} AND ($5::text IS NULL OR ahead.workspace = $5)"
    " AND ($6::text[] IS NULL OR ahead.workspace = ANY ($6)) AND ($7::text IS NULL OR whose.agent = $7)"
)
# Only so many bytes of them, but always the first. Measured after the limit: it has to read what it measures.
WITHIN = (
    "SELECT * FROM (SELECT *, sum(size) OVER (ORDER BY position) - size AS before FROM ("
    "SELECT *, CASE WHEN $3::bigint IS NULL THEN 0 ELSE octet_length(details::text) END AS size FROM found"
    ") AS measured) AS summed WHERE $3::bigint IS NULL OR before < $3 ORDER BY position"
)


def along(which: str = "", also: str = "") -> str:
    """A statement that goes along the positions; ``which`` says of which rows, ``also`` what passes.

    From $1 on: position, window, most bytes, what ``wanted`` gives, limit.
    """
    return (
        f"WITH ahead AS MATERIALIZED (SELECT * FROM events WHERE position > $1{which}"  # noqa: S608 - fixed text
        " ORDER BY position LIMIT $2),"
        " far AS (SELECT max(position) AS last, count(*) AS looked FROM ahead),"
        f" found AS (SELECT ahead.*, whose.agent, far.last, far.looked, ({PASSES}{also}) AS passes"
        f" FROM far CROSS JOIN ahead{OF_AGENT} WHERE ({PASSES}{also}) OR ahead.position = far.last"
        # One more than is wanted: the last that was looked at comes along, whether it passes or not.
        f" ORDER BY ahead.position LIMIT $8 + 1) {WITHIN}"
    )


_AFTER = along()
_AFTER_OF_OBJECT = (
    f"WITH found AS (SELECT ahead.*, whose.agent FROM events AS ahead{OF_AGENT}"  # noqa: S608 - fixed text
    f" WHERE ahead.uid = $8 AND ahead.position > $1 AND ahead.position <= $9 AND {PASSES}"
    " AND ($10::integer IS NULL OR ahead.attempt = $10)"
    f" ORDER BY ahead.position LIMIT $2) {WITHIN}"
)


@dataclass(frozen=True)
class StoredEvent:
    """An event as it stands in the log."""

    position: int
    at: datetime
    recorded_at: datetime
    event: Event
    agent: str | None = None
    """Name of the Agent whose it is, in the event's workspace."""


@dataclass(frozen=True)
class Appended:
    """What a batch came to: the log's last position now, and how many events were new."""

    last_position: int
    accepted: int


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


async def kept(connection: Connection) -> Resync:
    """What is in the log: its oldest position and its newest."""
    row = await connection.fetchrow("SELECT oldest, position FROM event_head")
    return Resync(1, 0) if row is None else Resync(row["oldest"], row["position"])


async def _locate(connection: Connection, position: int) -> Resync | UserError | None:
    # Without holes, a position is good if an event stands there, or if it is an end of the log.
    row = await connection.fetchrow(
        "SELECT position, oldest, EXISTS (SELECT FROM events WHERE events.position = $1) AS stands"
        " FROM event_head",
        position,
    )
    if row is None or position > row["position"]:
        return UserError(
            f"no event has position {position} here yet; the log of this installation ends at"
            f" {0 if row is None else row['position']}, so ask without a position, or with one of its own",
            code="position_unknown",
            field="after",
        )
    if row["stands"] or position == row["oldest"] - 1 or position == row["position"]:
        return None
    return Resync(oldest=row["oldest"], head=row["position"])


async def after(
    connection: Connection,
    position: int,
    which: Filter = ALL,
    *,
    limit: int = PAGE,
    most_bytes: int | None = None,
) -> Page:
    """Read the events after a position, oldest first.

    A filter looks at most WINDOW positions ahead, so a page may be empty and ``more`` still true.
    ``most_bytes`` ends a page early: of their details it holds so much, and one event more at most.
    """
    if which.uid is not None:
        return await _of_object(connection, position, which, limit=limit, most_bytes=most_bytes)
    window = limit if which.is_open else max(limit, WINDOW)
    # The inner read goes along the positions and is bounded, whatever the filter lets through.
    rows = await connection.fetch(_AFTER, position, window, most_bytes, *wanted(which), limit)
    return walked(rows, position, window, limit)


def walked(rows: Sequence[asyncpg.Record], position: int, window: int, limit: int) -> Page:
    """What a statement made by ``along`` came to."""
    passing = [row for row in rows if row["passes"]]
    kept = passing[:limit]
    is_cut = len(passing) > limit or bool(rows and rows[-1]["position"] < rows[-1]["last"])
    last = kept[-1] if is_cut else rows[-1] if rows else None
    return Page(
        events=tuple(stored(row) for row in kept),
        next=last["position"] if last is not None else position,
        more=is_cut or bool(rows and rows[-1]["looked"] == window),
    )


async def _of_object(
    connection: Connection, position: int, which: Filter, *, limit: int, most_bytes: int | None
) -> Page:
    # Read first: whatever stands up to here is seen by the statement after it.
    top = await head(connection)
    # The index over (uid, position) finds the events of one object directly.
    place = (which.uid, top, which.attempt)
    rows = await connection.fetch(
        _AFTER_OF_OBJECT, position, limit, most_bytes, *wanted(which), *place
    )
    return _picked(rows, position, top, limit, most_bytes)


def _picked(
    rows: Sequence[asyncpg.Record], position: int, top: int, limit: int, most_bytes: int | None
) -> Page:
    """What a statement that reads by an index, up to the position ``top``, came to."""
    # Whether the bytes or the count ended it, there may be more.
    more = len(rows) == limit or (most_bytes is not None and _size(rows) >= most_bytes)
    return Page(
        events=tuple(stored(row) for row in rows),
        next=rows[-1]["position"] if more else max(top, position),
        more=more,
    )


def wanted(which: Filter) -> tuple[object, ...]:
    """What every statement takes from $4 to $7."""
    seen = None if which.workspaces is None else list(which.workspaces)
    return which.types, which.workspace, seen, which.agent


def _size(rows: Sequence[asyncpg.Record]) -> int:
    return int(rows[-1]["before"] + rows[-1]["size"]) if rows else 0


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
    return StoredEvent(row["position"], row["at"], row["recorded_at"], event, row["agent"])
