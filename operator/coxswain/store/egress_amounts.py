"""How many bytes runs were granted at the web door, over all replicas of it.

A gateway takes a grant before it lets bytes through, so a run never gets more than its Agent says.
Amounts only grow: a grant whose gateway died, or whose answer was lost, counts as used.
"""

from coxswain.store.pool import Connection
from coxswain.store.runs import RunKey


async def grant(connection: Connection, key: RunKey, wanted: int, most: int) -> int:
    """Grant a run so many bytes, or what is left of the most that it may have; 0: nothing is."""
    # One statement decides: gateways that ask for the same run wait for each other's row.
    granted: int | None = await connection.fetchval(
        "INSERT INTO egress_amounts AS standing (job_uid, attempt, bytes, granted)"
        " VALUES ($1, $2, least($3::bigint, $4::bigint), least($3::bigint, $4::bigint))"
        " ON CONFLICT (job_uid, attempt) DO UPDATE SET"
        " bytes = standing.bytes + least($3::bigint, $4::bigint - standing.bytes),"
        " granted = least($3::bigint, $4::bigint - standing.bytes)"
        " WHERE standing.bytes < $4::bigint RETURNING granted",
        key.job_uid,
        key.attempt,
        wanted,
        most,
    )
    return granted or 0
