"""Connections of the web door whose gateway was killed: nobody is left to say that they ended.

A connection ends at the latest with its run: a living gateway cuts it within seconds, and says so
with its bytes. Where that is missing some time after, another gateway says that it ended, and that
nobody knows how much went through.
"""

from datetime import timedelta

from coxswain.api.records import Event
from coxswain.store import claims, events
from coxswain.store.pool import Connection

OPENED = f"{claims.EGRESS}opened"
CLOSED = f"{claims.EGRESS}closed"
LOST = "gateway_lost"
AFTER = timedelta(minutes=2)
"""How long after a run the word of its own gateway is waited for."""
MOST = 500


async def close_lost(connection: Connection, back: timedelta) -> int:
    """Tell the end of connections of runs that ended in this span; how many.

    Ids are derived, so it does not matter how many gateways do it, or how often.
    """
    # The index over closed_at bounds the runs, the one over (uid, position) finds their events.
    rows = await connection.fetch(
        "SELECT opened.*, runs.closed_at FROM runs JOIN events AS opened"
        " ON opened.uid = runs.job_uid AND opened.attempt = runs.attempt AND opened.type = $3"
        " WHERE runs.closed_at BETWEEN now() - $1::interval AND now() - $2::interval"
        " AND NOT EXISTS (SELECT FROM events AS closed WHERE closed.uid = opened.uid"
        " AND closed.type = $4 AND closed.details ->> 'connection' = opened.id::text)"
        " ORDER BY opened.position LIMIT $5",
        back,
        AFTER,
        OPENED,
        CLOSED,
        MOST,
    )
    ended = [
        Event(
            id=events.derived_id(
                str(row["uid"]), row["attempt"], f"{CLOSED} {row['id']}", row["closed_at"]
            ),
            type=CLOSED,
            actor=row["actor"],
            workspace=row["workspace"],
            kind=row["kind"],
            name=row["name"],
            uid=str(row["uid"]),
            attempt=row["attempt"],
            details={
                "host": row["details"]["host"],
                "port": row["details"]["port"],
                "connection": str(row["id"]),
                "outcome": LOST,
            },
        )
        for row in rows
    ]
    if ended:
        await events.append(connection, ended)
    return len(ended)
