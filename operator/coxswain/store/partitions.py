"""The days of the event log are made ahead; what nobody made a day for lands in the net below."""

from datetime import date, timedelta

from coxswain.store.pool import Connection

DAYS_BACK = 7
DAYS_AHEAD = 7


async def make(connection: Connection, today: date) -> int:
    """Make the partitions around today (UTC) where they are missing; how many were made."""
    made: int = await connection.fetchval(
        "SELECT make_event_days($1, $2)",
        today - timedelta(days=DAYS_BACK),
        today + timedelta(days=DAYS_AHEAD),
    )
    return made
