"""What people ask of Schedules: kept until the operator has carried it out, once."""

from coxswain.api.ticks import ScheduleRequest
from coxswain.store import wakes
from coxswain.store.pool import Connection


async def ask(
    connection: Connection, uid: str, workspace: str, name: str, request: ScheduleRequest
) -> bool:
    """Keep a request and wake the operator. False: its id stood already, whatever it says."""
    new = await connection.fetchval(
        "INSERT INTO schedule_requests (id, schedule_uid, kind, since, until, overlap, by, why)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING true",
        request.id,
        uid,
        request.kind,
        request.since,
        request.until,
        request.overlap,
        request.by,
        request.why,
    )
    await wakes.add(connection, "Schedule", workspace, name)
    return new is True
