"""Pages of the event log by time, and of what matters to security; streams follow by position alone."""

from dataclasses import dataclass
from datetime import datetime

from coxswain.store import events
from coxswain.store.events import WINDOW, Filter, Page
from coxswain.store.pool import Connection

# Days are the partitions: those before that of a time are not read at all.
_OF_DAYS = "id >= event_bound(date_trunc('day', greatest(${}::timestamptz, to_timestamp(0))))"
_PASSES = (
    " (type = $3 OR right($3, 1) = '.' AND starts_with(type, $3) OR $3 IS NULL)"
    " AND (workspace = $4 OR $4 IS NULL) AND (workspace = ANY ($5::text[]) OR $5 IS NULL)"
    " AND (uid = $6 OR $6 IS NULL) AND (attempt = $7 OR $7 IS NULL) AND (at >= $8 OR $8 IS NULL)"
)
# Bounded, whatever passes: it goes along the positions of the days that are left.
_BY_TIME = (
    f"SELECT *, {_PASSES} AS passes FROM (SELECT * FROM events WHERE position > $1"  # noqa: S608 - fixed text
    f" AND {_OF_DAYS.format(8)} ORDER BY position LIMIT $2) AS ahead ORDER BY position"
)
# The small index over them gives their order.
_OF_SECURITY = (
    f"SELECT * FROM events WHERE is_security AND position > $1 AND position <= $9"  # noqa: S608 - fixed text
    f" AND {_OF_DAYS.format(8)} AND {_PASSES} ORDER BY position LIMIT $2"
)


@dataclass(frozen=True)
class Search:
    """Which events: those that pass the filter, happened since then, and matter to security."""

    which: Filter
    since: datetime | None = None
    is_security: bool = False
    """As the types said when the event was written."""


async def page(connection: Connection, position: int, search: Search, *, limit: int) -> Page:
    """Read what is found after a position, oldest first; a page may be empty and ``more`` true."""
    if search.is_security:
        return await _of_security(connection, position, search, limit)
    window = max(limit, WINDOW)
    rows = await connection.fetch(_BY_TIME, position, window, *_wanted(search))
    passing = [row for row in rows if row["passes"]]
    kept = passing[:limit]
    last = kept[-1] if len(passing) > limit else rows[-1] if rows else None
    return Page(
        events=tuple(events.stored(row) for row in kept),
        next=last["position"] if last is not None else position,
        more=len(rows) == window or len(passing) > limit,
    )


async def _of_security(connection: Connection, position: int, search: Search, limit: int) -> Page:
    # Read first: whatever stands up to here is seen by the statement after it.
    top = await events.head(connection)
    rows = await connection.fetch(_OF_SECURITY, position, limit, *_wanted(search), top)
    more = len(rows) == limit
    return Page(
        events=tuple(events.stored(row) for row in rows),
        next=rows[-1]["position"] if more else max(top, position),
        more=more,
    )


def _wanted(search: Search) -> tuple[object, ...]:
    """What both statements take from $3 on."""
    which = search.which
    seen = None if which.workspaces is None else list(which.workspaces)
    return which.type, which.workspace, seen, which.uid, which.attempt, search.since
