"""Idempotency keys: which Job a key of a workspace stands for, for as long as it is kept.

The row is written before the Job is made, so that of many who ask at once one decides the name, and
whoever asks again completes what a crash has left.
"""

from coxswain.api.records import KeyHolder as KeyHolder
from coxswain.errors import UnavailableError
from coxswain.store.pool import Connection

PURGED_AT_ONCE = 10_000


async def take(connection: Connection, wanted: KeyHolder, seconds: int) -> KeyHolder:
    """The holder that stands: the wanted one if the key was free or its time was over."""
    await connection.execute(
        "INSERT INTO idempotency_keys AS standing"
        " (workspace, key, payload_hash, job_name, job_uid, expires_at)"
        " VALUES ($1, $2, $3, $4, $5::uuid, now() + make_interval(secs => $6))"
        " ON CONFLICT (workspace, key) DO UPDATE SET payload_hash = excluded.payload_hash,"
        " job_name = excluded.job_name, job_uid = excluded.job_uid, created_at = now(),"
        " expires_at = excluded.expires_at WHERE standing.expires_at <= now()",
        wanted.workspace,
        wanted.key,
        wanted.payload_hash,
        wanted.job_name,
        wanted.job_uid,
        float(seconds),
    )
    standing = await of(connection, wanted.workspace, wanted.key)
    if standing is None:
        raise UnavailableError("the key ended in this moment; try again")
    return standing


async def register(connection: Connection, wanted: KeyHolder, seconds: int) -> KeyHolder:
    """The same for a Job that is there: a row that waits for a Job of its name becomes its own."""
    standing = await take(connection, wanted, seconds)
    if standing.job_uid is not None or standing.job_name != wanted.job_name:
        return standing
    # What its payload is, the object itself says.
    await connection.execute(
        "UPDATE idempotency_keys SET job_uid = $4::uuid, payload_hash = $5"
        " WHERE workspace = $1 AND key = $2 AND job_name = $3 AND job_uid IS NULL",
        wanted.workspace,
        wanted.key,
        wanted.job_name,
        wanted.job_uid,
        wanted.payload_hash,
    )
    return await of(connection, wanted.workspace, wanted.key) or standing


async def settle(connection: Connection, holder: KeyHolder, job_uid: str) -> None:
    """The Job was made: from now on the key stands for it and for no other of its name."""
    await connection.execute(
        "UPDATE idempotency_keys SET job_uid = $4::uuid"
        " WHERE workspace = $1 AND key = $2 AND job_name = $3 AND job_uid IS NULL",
        holder.workspace,
        holder.key,
        holder.job_name,
        job_uid,
    )


async def release(connection: Connection, holder: KeyHolder) -> None:
    """No Job was made and none will be: the key is free again."""
    await connection.execute(
        "DELETE FROM idempotency_keys"
        " WHERE workspace = $1 AND key = $2 AND job_name = $3 AND job_uid IS NULL",
        holder.workspace,
        holder.key,
        holder.job_name,
    )


async def of(connection: Connection, workspace: str, key: str) -> KeyHolder | None:
    """Who holds a key; None if nobody does, or its time is over."""
    row = await connection.fetchrow(
        "SELECT workspace, key, payload_hash, job_name, job_uid::text FROM idempotency_keys"
        " WHERE workspace = $1 AND key = $2 AND expires_at > now()",
        workspace,
        key,
    )
    return KeyHolder(**dict(row)) if row is not None else None


async def purge(connection: Connection) -> int:
    """Drop keys whose time is over, so many at a time, and say how many they were."""
    # By the index over the expiry; a statement that finds few rows takes no time.
    gone = await connection.fetch(
        "DELETE FROM idempotency_keys WHERE (workspace, key) IN"
        " (SELECT workspace, key FROM idempotency_keys WHERE expires_at <= now()"
        " ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING true",
        PURGED_AT_ONCE,
    )
    return len(gone)
