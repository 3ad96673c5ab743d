"""The chains over the audit log: what waits for a seal, the seals, and whole chains for an export.

A row is sealed once, by the leader, in a transaction of its own; whoever writes rows waits for nobody.
A row that is committed late has no seal yet, whatever its time, and gets the next one: so none is
missed, and no clock and no snapshot is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from coxswain.api.audit import Ahead, AuditRow, Seal, SealBody
from coxswain.store import audit
from coxswain.store.audit import COLUMNS, CONDITION, Query
from coxswain.store.pool import Connection

ROWS_PER_SEAL = 500
SEALS_AT_ONCE = 100
DROPPED_AT_ONCE = 20
_SEALS = (
    "SELECT workspace, number, installation, previous, rows, root, sealed_at, server, key_id,"
    " digest, signature, dropped_at FROM audit_seals"
)


@dataclass(frozen=True)
class Backlog:
    """What waits for a seal: rows, and the age of the oldest in seconds."""

    rows: int
    oldest_seconds: float


Sign = Callable[[Ahead], Seal]


async def waiting(connection: Connection) -> list[str]:
    """Workspaces with rows that wait for a seal."""
    # The partial index holds what is not sealed, and little stands in it.
    rows = await connection.fetch(
        "SELECT DISTINCT workspace FROM audit WHERE seal IS NULL ORDER BY workspace"
    )
    return [row["workspace"] for row in rows]


async def backlog(connection: Connection) -> Backlog:
    """How much waits, and for how long."""
    row = await connection.fetchrow(
        "SELECT count(*) AS rows,"
        " coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS oldest"
        " FROM audit WHERE seal IS NULL"
    )
    return Backlog(row["rows"], row["oldest"]) if row is not None else Backlog(0, 0.0)


async def seal(connection: Connection, workspace: str, sign: Sign) -> int:
    """Seal what waits in a workspace, so many rows at most; how many they were.

    ``sign`` makes the seal and may raise. One sealer at a time: another one waits here, and then finds
    the chain longer by a seal.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('coxswain audit seals'))")
    ahead = await _ahead(connection, workspace)
    if not ahead.rows:
        return 0
    made = sign(ahead)
    await connection.execute(
        "SELECT seal_audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        made.body.workspace,
        made.body.number,
        made.body.installation,
        made.body.previous,
        made.body.root,
        made.body.sealed_at,
        made.body.server,
        made.body.key_id,
        made.digest,
        made.signature,
        [each.entry.id for each in ahead.rows],
    )
    return len(ahead.rows)


async def keep_key(connection: Connection, key_id: str, public_key: str) -> None:
    """Publish a key before anything is signed with it; the same again is harmless."""
    await connection.execute(
        "INSERT INTO audit_keys (key_id, public_key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        key_id,
        public_key,
    )


async def drop(connection: Connection, kept_days: int) -> int:
    """Drop the rows of whole seals of so long ago; how many went. The seals stay."""
    dropped: int = await connection.fetchval(
        "SELECT drop_audit(now() - make_interval(days => $1), $2)", kept_days, DROPPED_AT_ONCE
    )
    return dropped


async def head(connection: Connection, workspace: str) -> Seal | None:
    """The last seal of a workspace; None before the first."""
    row = await connection.fetchrow(
        f"{_SEALS} WHERE workspace = $1 ORDER BY number DESC LIMIT 1", workspace
    )
    return _seal(row) if row is not None else None


async def workspaces(connection: Connection) -> list[str]:
    """Every workspace that has a chain, or a row that waits for its first seal."""
    # From one workspace to the next along the index: chains are long, and workspaces few.
    rows = await connection.fetch(
        "WITH RECURSIVE chains AS ("
        " (SELECT workspace FROM audit_seals ORDER BY workspace LIMIT 1)"
        " UNION ALL SELECT (SELECT workspace FROM audit_seals WHERE workspace > chains.workspace"
        " ORDER BY workspace LIMIT 1) FROM chains WHERE chains.workspace IS NOT NULL)"
        " SELECT workspace FROM chains WHERE workspace IS NOT NULL"
        " UNION SELECT workspace FROM audit WHERE seal IS NULL ORDER BY workspace"
    )
    return [row["workspace"] for row in rows]


async def first_with(connection: Connection, query: Query) -> int | None:
    """The first seal of the query's workspace that covers a row of the query."""
    number: int | None = await connection.fetchval(
        f"SELECT min(seal) FROM audit WHERE {CONDITION}",  # noqa: S608 - a constant
        *query.arguments(),
    )
    return number


async def chain(connection: Connection, workspace: str, after: int, until: int) -> Sequence[Seal]:
    """The seals of a workspace after one of them, up to another, so many at most."""
    rows = await connection.fetch(
        f"{_SEALS} WHERE workspace = $1 AND number > $2 AND number <= $3 ORDER BY number LIMIT $4",
        workspace,
        after,
        until,
        SEALS_AT_ONCE,
    )
    return [_seal(row) for row in rows]


async def covered(
    connection: Connection, query: Query, number: int
) -> Sequence[tuple[AuditRow, bool]]:
    """The rows of a seal of the query's workspace, in their order, and whether the query means each."""
    rows = await connection.fetch(
        f"SELECT {COLUMNS}, ({CONDITION}) AS meant FROM audit"  # noqa: S608 - constants
        " WHERE workspace = $1 AND seal = $11 ORDER BY place",
        *query.arguments(),
        number,
    )
    return [(audit.stored(row), row["meant"]) for row in rows]


async def uncovered(
    connection: Connection, query: Query, head: int, after: audit.Cursor | None
) -> Sequence[AuditRow]:
    """Rows of the query's workspace that no seal up to the head covers, oldest first, so many at most."""
    # Two halves, so that each is found by its own index.
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM (SELECT * FROM audit WHERE workspace = $1 AND seal IS NULL"  # noqa: S608 - constants
        f" UNION ALL SELECT * FROM audit WHERE workspace = $1 AND seal > $11) AS late WHERE {CONDITION}"
        " AND ((at, id) > ($12::timestamptz, $13::uuid) OR $12 IS NULL)"
        " ORDER BY at, id LIMIT $14",
        *query.arguments(),
        head,
        after.at if after is not None else None,
        after.id if after is not None else None,
        ROWS_PER_SEAL,
    )
    return [audit.stored(row) for row in rows]


async def _ahead(connection: Connection, workspace: str) -> Ahead:
    former = await head(connection, workspace)
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM audit WHERE workspace = $1 AND seal IS NULL"  # noqa: S608 - a constant
        " ORDER BY at, id LIMIT $2",
        workspace,
        ROWS_PER_SEAL,
    )
    # Server, database, table and timeline: after a restore or a copy at least one is another.
    here = await connection.fetchrow(
        "SELECT clock_timestamp() AS now, concat_ws('/', system_identifier,"
        " (SELECT oid FROM pg_database WHERE datname = current_database()),"
        " 'audit_seals'::regclass::oid, left(pg_walfile_name(pg_current_wal_lsn()), 8)) AS server"
        " FROM pg_control_system()"
    )
    if here is None:
        raise AssertionError("pg_control_system has one row")
    found = tuple(audit.stored(row) for row in rows)
    return Ahead(former, found, here["now"], here["server"])


def _seal(row: asyncpg.Record) -> Seal:
    body = SealBody(
        installation=row["installation"],
        workspace=row["workspace"],
        number=row["number"],
        previous=row["previous"],
        rows=row["rows"],
        root=row["root"],
        sealed_at=row["sealed_at"],
        server=row["server"],
        key_id=row["key_id"],
    )
    return Seal(body, row["digest"], row["signature"], row["dropped_at"])
