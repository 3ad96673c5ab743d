"""What has been kept for long enough is dropped, so many rows at a time, by functions of the owner.

No role may delete records itself: the functions drop only what has ended, and nothing of the last
day, of the event log nothing of the last week, whatever they are asked for. Time is the database's.
"""

from coxswain.store.pool import Connection

AT_ONCE = 1000
OBJECTS_AT_ONCE = 100
EVENT_DAYS_AT_ONCE = 1
FILE_BYTES_AT_ONCE = 32 * 1024 * 1024


async def drop_deliveries(connection: Connection, kept_days: int) -> int:
    """Drop callbacks that ended so long ago and whose Job is gone; how many they were."""
    dropped: int = await connection.fetchval(
        "SELECT drop_ended_deliveries(now() - make_interval(days => $1), $2)", kept_days, AT_ONCE
    )
    return dropped


async def drop_files(connection: Connection, kept_days: int) -> int:
    """Drop files of Jobs that are gone for so long, results that name them first; how many went."""
    dropped: int = await connection.fetchval(
        "SELECT drop_gone_files(now() - make_interval(days => $1), $2)",
        kept_days,
        FILE_BYTES_AT_ONCE,
    )
    return dropped


async def drop_ticks(connection: Connection, kept_days: int) -> int:
    """Drop ticks that were settled so long ago, and what is left of their Schedules; how many rows."""
    dropped: int = await connection.fetchval(
        "SELECT drop_ticks(now() - make_interval(days => $1), $2)", kept_days, AT_ONCE
    )
    return dropped


async def drop_objects(connection: Connection, kept_days: int) -> int:
    """Drop what else is left of Jobs and Agents that are gone for so long; how many went.

    One that still has files stays: they go by ``drop_files``.
    """
    dropped: int = await connection.fetchval(
        "SELECT drop_gone_objects(now() - make_interval(days => $1), $2)",
        kept_days,
        OBJECTS_AT_ONCE,
    )
    return dropped


async def drop_event_days(connection: Connection, kept_days: int) -> int:
    """Drop days of the event log that ended so long ago, a week at least; how many days went.

    Raises UnavailableError where readers of the log would have had to wait for it: try again later.
    """
    dropped: int = await connection.fetchval(
        "SELECT drop_events(now() - make_interval(days => $1), $2)", kept_days, EVENT_DAYS_AT_ONCE
    )
    return dropped


async def drop_usage(connection: Connection, kept_days: int) -> int:
    """Drop the rows of model calls of so long ago; how many they were."""
    dropped: int = await connection.fetchval(
        "SELECT drop_usage(now() - make_interval(days => $1), $2)", kept_days, AT_ONCE
    )
    return dropped
