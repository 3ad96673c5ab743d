"""Indexes of the event log, built beside its writers.

A migration makes one ``ON ONLY events``: of no row, and so in a moment. Here each partition gets its part
without a lock that writers wait for, one after the other, and the last makes the index whole. Partitions that
are made meanwhile come with theirs. Whoever is killed on the way is followed by the next migrator.
"""

import asyncio

import asyncpg

from coxswain.store.pool import Connection
from coxswain.telemetry import logs

log = logs.get(__name__)

LOG = "events"
LOCK = 0x636F7869
# To join an index its part is locked for a moment; whoever uses it then is not waited for longer.
JOIN = "2s"
AGAIN_SECONDS = 1.0
# Parts that an index is still without; one that was begun and not ended is no part of it.
_MISSING = (
    "SELECT whole.relname AS index, part.relname AS partition,"
    " split_part(pg_get_indexdef(whole.oid), ' USING ', 2) AS form"
    " FROM pg_index JOIN pg_class AS whole ON whole.oid = pg_index.indexrelid"
    " JOIN pg_inherits ON pg_inherits.inhparent = pg_index.indrelid"
    " JOIN pg_class AS part ON part.oid = pg_inherits.inhrelid"
    " WHERE pg_index.indrelid = $1::text::regclass AND NOT pg_index.indisvalid AND NOT EXISTS ("
    " SELECT FROM pg_inherits AS has JOIN pg_index AS held ON held.indexrelid = has.inhrelid"
    " WHERE has.inhparent = whole.oid AND held.indrelid = part.oid)"
    " ORDER BY whole.relname, part.relname DESC LIMIT 1"
)


async def complete(connection: Connection) -> int:
    """Build what is missing of all of them, newest days first; how many parts that were. By the owner.

    None where somebody else is about it.
    """
    built = 0
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
        return built
    while (missing := await connection.fetchrow(_MISSING, LOG)) is not None:
        index, partition = missing["index"], missing["partition"]
        part = f"{partition}_{index.removeprefix(f'{LOG}_')}"
        await _build(connection, part, f"{partition} USING {missing['form']}")
        if await _join(connection, index, part):
            log.info("a part of an index is built", index=index, partition=partition)
            built += 1
        else:
            await asyncio.sleep(AGAIN_SECONDS)
    return built


async def _build(connection: Connection, part: str, of: str) -> None:
    is_whole = await connection.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", part
    )
    if is_whole is None:
        await connection.execute(f'CREATE INDEX CONCURRENTLY "{part}" ON {of}')
    elif not is_whole:
        await connection.execute(f'REINDEX INDEX CONCURRENTLY "{part}"')


async def _join(connection: Connection, index: str, part: str) -> bool:
    """Make a part one of the index; not while somebody uses it for long."""
    await connection.execute(f"SET lock_timeout = '{JOIN}'")
    try:
        await connection.execute(f'ALTER INDEX "{index}" ATTACH PARTITION "{part}"')
    except asyncpg.LockNotAvailableError:
        return False
    finally:
        await connection.execute("RESET lock_timeout")
    return True
