"""Connections of the web door whose gateway was killed: nobody is left to say that they ended.

A connection ends at the latest with its run: a living gateway cuts it within seconds, and says so
with its bytes. Where that is missing some time after, another gateway says that it ended, and that
nobody knows how much went through.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from coxswain.api.event_types.door import EGRESS_CLOSED, EGRESS_OPENED, ConnectionClosed
from coxswain.api.records import Event
from coxswain.store import events
from coxswain.store.pool import Connection

OPENED = EGRESS_OPENED.name
CLOSED = EGRESS_CLOSED.name
LOST = "gateway_lost"
AFTER = timedelta(minutes=2)
"""How long after a run the word of its own gateway is waited for."""
FIRST = timedelta(days=1)
"""How far back the first look begins: no gateway may have been there for a while."""
SLICE = timedelta(minutes=15)
"""Of so much time the ended runs are looked at in one go."""
AGAIN = timedelta(minutes=10)
"""Of so much time they are looked at each time: a gateway's word may come late."""
SKEW = timedelta(hours=1)
"""How far a gateway's clock, which is in the ids of its events, may be from the database's."""
MOST = 500

# The index over closed_at bounds the runs; for each, its own times say which days of the log may hold
# its events, and the index over (uid, position) finds them there, once.
LOST_ROWS = (
    "SELECT lost.*, runs.closed_at FROM runs CROSS JOIN LATERAL ("
    " WITH told AS MATERIALIZED (SELECT * FROM events"
    " WHERE events.uid = runs.job_uid AND events.attempt = runs.attempt AND type IN ($3, $4)"
    " AND id >= event_bound(runs.created_at - $5::interval)"
    " AND id < event_bound(runs.closed_at + $5::interval))"
    " SELECT * FROM told AS opened WHERE type = $3 AND NOT EXISTS (SELECT FROM told AS closed"
    " WHERE closed.type = $4 AND closed.details ->> 'connection' = opened.id::text)) AS lost"
    " WHERE runs.closed_at >= $1 AND runs.closed_at < $2"
    " AND runs.document -> 'egress' <> '[]'::jsonb"
    " ORDER BY runs.closed_at LIMIT $6"
)


@dataclass(frozen=True)
class Looked:
    """What a look came to."""

    found: int
    """Connections whose end was told."""
    since: datetime
    """Where the next look begins."""
    is_more: bool
    """Whether there is more to look at now."""


async def close_lost(connection: Connection, since: datetime | None) -> Looked:
    """Tell the end of connections of runs that ended from then on, of a slice of time at most.

    None begins a day back. Ids are derived, so it does not matter how many gateways do it, or how
    often.
    """
    newest: datetime = await connection.fetchval("SELECT now() - $1::interval", AFTER)
    since = since or newest - FIRST
    # Time in which no run ended is passed over.
    first: datetime = await connection.fetchval(
        "SELECT coalesce(min(closed_at), $2) FROM runs WHERE closed_at >= $1", since, newest
    )
    until = min(first + SLICE, newest)
    found = await _close(connection, first, until)
    if found == MOST:
        return Looked(found, since, is_more=True)
    return Looked(found, min(until, newest - AGAIN), is_more=until < newest)


async def _close(connection: Connection, since: datetime, until: datetime) -> int:
    rows = await connection.fetch(LOST_ROWS, since, until, OPENED, CLOSED, SKEW, MOST)
    ended = [
        Event.of(
            EGRESS_CLOSED,
            ConnectionClosed(
                host=row["details"]["host"],
                port=row["details"]["port"],
                connection=str(row["id"]),
                outcome=LOST,
            ),
            id=events.derived_id(
                str(row["uid"]), row["attempt"], f"{CLOSED} {row['id']}", row["closed_at"]
            ),
            actor=row["actor"],
            workspace=row["workspace"],
            name=row["name"],
            uid=str(row["uid"]),
            attempt=row["attempt"],
        )
        for row in rows
    ]
    if ended:
        await events.append(connection, ended)
    return len(ended)
