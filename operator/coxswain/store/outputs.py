"""The output of runs, as the event log has it."""

from coxswain.store.pool import Connection


async def newest_attempt(connection: Connection, job_uid: str) -> int | None:
    """The newest attempt of a Job that wrote anything or took a step."""
    # The index over (uid, position) holds the Job's events together.
    attempt: int | None = await connection.fetchval(
        "SELECT max(attempt) FROM events WHERE uid = $1"
        " AND (type = 'run.output' OR starts_with(type, 'run.step.'))",
        job_uid,
    )
    return attempt
