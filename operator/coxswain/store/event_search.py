"""Pages of the event log by time, and of what matters to security; streams follow by position alone."""

from dataclasses import dataclass
from datetime import datetime

from coxswain.store import events
from coxswain.store.events import OF_AGENT, PASSES, WINDOW, WITHIN, Filter, Page
from coxswain.store.pool import Connection


def _of_days(number: int) -> str:
    """Days are the partitions: those before that of a time are not read at all."""
    day = f"date_trunc('day', greatest(${number}::timestamptz, to_timestamp(0)))"
    return f" AND id >= event_bound({day})"


def _also(number: int) -> str:
    """What passes besides, by what ``_place`` gives from this number on."""
    return (
        f" AND (${number}::timestamptz IS NULL OR ahead.at >= ${number})"
        f" AND (${number + 1}::uuid IS NULL OR ahead.uid = ${number + 1})"
        f" AND (${number + 2}::integer IS NULL OR ahead.attempt = ${number + 2})"
    )


# Bounded, whatever passes: it goes along the positions of the days that are left.
_BY_TIME = events.along(_of_days(9), _also(9))
# The small index over them gives their order.
_OF_SECURITY = (
    f"WITH found AS (SELECT ahead.*, whose.agent FROM events AS ahead{OF_AGENT}"  # noqa: S608 - fixed text
    f" WHERE ahead.is_security AND ahead.position > $1 AND ahead.position <= $11{_of_days(8)}"
    f" AND {PASSES}{_also(8)} ORDER BY ahead.position LIMIT $2) {WITHIN}"
)


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
    wanted = events.wanted(search.which)
    if search.is_security:
        # Read first: whatever stands up to here is seen by the statement after it.
        top = await events.head(connection)
        given = (position, limit, most_bytes, *wanted, *_place(search), top)
        found = await connection.fetch(_OF_SECURITY, *given)
        return events.picked(found, position, top, limit, most_bytes)
    window = max(limit, WINDOW)
    given = (position, window, most_bytes, *wanted, limit, *_place(search))
    return events.walked(await connection.fetch(_BY_TIME, *given), position, window, limit)


def _place(search: Search) -> tuple[object, ...]:
    return search.since, search.which.uid, search.which.attempt
