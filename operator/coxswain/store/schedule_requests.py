"""What people ask of Schedules: kept until the operator has carried it out, once."""

from coxswain.api.ticks import ScheduleRequest
from coxswain.errors import ConflictError
from coxswain.rules import idempotency
from coxswain.store import wakes
from coxswain.store.pool import Connection


async def ask(
    connection: Connection, uid: str, workspace: str, name: str, request: ScheduleRequest
) -> bool:
    """Keep a request and wake the operator. False: it stood already, under its id.

    Raises ConflictError idempotency_key_reused where the id stands for another request.
    """
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
    if new is not True:
        await _require_same(connection, uid, request)
    await wakes.add(connection, "Schedule", workspace, name)
    return new is True


async def _require_same(connection: Connection, uid: str, request: ScheduleRequest) -> None:
    # Why it was asked for is no part of it.
    same = await connection.fetchval(
        "SELECT schedule_uid = $2 AND kind = $3 AND (since, until, overlap)"
        " IS NOT DISTINCT FROM ($4::timestamptz, $5::timestamptz, $6::text)"
        " FROM schedule_requests WHERE id = $1",
        request.id,
        uid,
        request.kind,
        request.since,
        request.until,
        request.overlap,
    )
    if not same:
        text = f"'{request.id}' stands for another request; send that again, or take a new one"
        raise ConflictError(text, code=idempotency.REUSED, field="id")
