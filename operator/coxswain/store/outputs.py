"""The output of runs, as the event log has it."""

from coxswain.api.event_types.run import RUN_OUTPUT, STEPS
from coxswain.store.pool import Connection

_SHOWN = [each.name for each in (RUN_OUTPUT, *STEPS)]


async def newest_attempt(connection: Connection, job_uid: str) -> int | None:
    """The newest attempt of a Job that wrote anything or took a step."""
    # The index over (uid, position) holds the Job's events together.
    attempt: int | None = await connection.fetchval(
        "SELECT max(attempt) FROM events WHERE uid = $1 AND type = ANY ($2::text[])",
        job_uid,
        _SHOWN,
    )
    return attempt
