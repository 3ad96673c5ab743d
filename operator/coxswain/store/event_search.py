"""Pages of the event log by time, of one object, and of what matters to security; streams follow by position alone.

Each statement looks at WINDOW events at most, by the index that leaves out most, whatever passes then.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from coxswain.store import events
from coxswain.store.events import WINDOW, Filter, Page
from coxswain.store.pool import Connection

# From $9 on stands what ``_place`` gives. Days are the partitions: those before that of a time are not read at all.
_DAYS = " AND id >= event_bound(date_trunc('day', greatest($9::timestamptz, to_timestamp(0))))"
_ALSO = (
    " AND ($9::timestamptz IS NULL OR ahead.at >= $9)"
    " AND ($10::uuid IS NULL OR ahead.uid = $10)"
    " AND ($11::integer IS NULL OR ahead.attempt = $11)"
    " AND ($12::boolean IS FALSE OR ahead.is_security)"
)
_BY_TIME = events.along(_DAYS, _ALSO)
# The index over (uid, position) has the events of one object together,
_OF_OBJECT = events.along(f" AND uid = $10{_DAYS}", _ALSO)
# and a small one those that matter to security.
_OF_SECURITY = events.along(f" AND is_security{_DAYS}", _ALSO)


@dataclass(frozen=True)
class Search:
    """Which events: those that pass the filter, happened since then, and matter to security."""

    which: Filter
    since: datetime | None = None
    is_security: bool = False
    """As the types said when the event was written."""


async def page(
    connection: Connection,
    position: int,
    search: Search,
    *,
    limit: int,
    most_bytes: int | None = None,
) -> Page:
    """Read what is found after a position, oldest first, as ``events.after`` does."""
    # Read first: whatever stands up to here is seen by the statement after it.
    top = await events.head(connection)
    window, wanted = max(limit, WINDOW), events.wanted(search.which)
    given = (position, window, most_bytes, *wanted, limit, *_place(search))
    rows = await connection.fetch(_statement(search), *given)
    found = events.walked(rows, position, window, limit)
    return found if found.more else replace(found, next=max(found.next, top))


def _statement(search: Search) -> str:
    if search.which.uid is not None:
        return _OF_OBJECT
    return _OF_SECURITY if search.is_security else _BY_TIME


def _place(search: Search) -> tuple[object, ...]:
    return search.since, search.which.uid, search.which.attempt, search.is_security
