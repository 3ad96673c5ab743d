"""Rows of leases as they stand: read, listed, locked."""

from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease, LeaseHolder
from coxswain.store.pool import Connection

Place = tuple[str, str]
"""Workspace and name."""

# A ticket that nobody has refreshed in time counts no more.
COLUMNS = (
    "leases.*, clock_timestamp() AS read_at, leases.line = (SELECT lease_line()) AS is_confirmed,"
    " (SELECT count(*) FROM lease_tickets AS each WHERE each.workspace = leases.workspace"
    " AND each.name = leases.name AND each.alive_until > clock_timestamp()) AS waiters,"
    " (SELECT each.holder FROM lease_tickets AS each WHERE each.workspace = leases.workspace"
    " AND each.name = leases.name AND each.alive_until > clock_timestamp()"
    " ORDER BY each.place LIMIT 1) AS first_waiter"
)
PAGE = 500


@dataclass(frozen=True)
class Query:
    """Which leases to list, by workspace and name. None takes all."""

    workspaces: frozenset[str] | None = None
    state: LeaseState | None = None
    holder: str | None = None


async def of(connection: Connection, places: Iterable[Place]) -> dict[Place, Lease]:
    """The rows of these leases, those of removed objects too; one without a row is left out."""
    return await _read(connection, places, "")


async def locked(connection: Connection, places: Iterable[Place]) -> dict[Place, Lease]:
    """The same, kept from changing until the transaction ends; always locked in one order."""
    return await _read(connection, places, " ORDER BY workspace, name FOR UPDATE OF leases")


async def shared(connection: Connection, places: Iterable[Place]) -> dict[Place, Lease]:
    """The same, for those who only need that nobody else changes them."""
    return await _read(connection, places, " ORDER BY workspace, name FOR SHARE OF leases")


async def _read(connection: Connection, places: Iterable[Place], tail: str) -> dict[Place, Lease]:
    wanted = sorted(set(places))
    found = await connection.fetch(
        f"SELECT {COLUMNS} FROM unnest($1::text[], $2::text[]) AS wanted (workspace, name)"  # noqa: S608 - constants
        f" JOIN leases USING (workspace, name){tail}",
        [workspace for workspace, _ in wanted],
        [name for _, name in wanted],
    )
    rows = [stored(row) for row in found]
    return {(row.workspace, row.name): row for row in rows}


def changed(statement: str) -> str:
    """A statement that goes on to read, with ``COLUMNS``, what its part ``changed`` returns."""
    return f"{statement} SELECT {COLUMNS} FROM changed AS leases"  # noqa: S608 - constants


async def page(
    connection: Connection, query: Query, after: Place | None = None, *, limit: int = PAGE
) -> tuple[list[Lease], Place | None]:
    """A page of the leases that have an object, and where the next one begins."""
    found = await connection.fetch(
        f"SELECT * FROM (SELECT {COLUMNS} FROM leases WHERE removed_at IS NULL"  # noqa: S608 - constants
        " AND (workspace = ANY ($1::text[]) OR $1 IS NULL) AND (holder = $3 OR $3 IS NULL)"
        " AND ((workspace, name) > ($4, $5) OR $4 IS NULL)) AS each"
        " WHERE CASE WHEN state = 'Held' AND expires_at <= read_at THEN 'Expired' ELSE state END = $2"
        " OR $2 IS NULL ORDER BY workspace, name LIMIT $6",
        None if query.workspaces is None else list(query.workspaces),
        query.state,
        query.holder,
        after[0] if after is not None else None,
        after[1] if after is not None else None,
        limit + 1,
    )
    rows = [stored(row) for row in found[:limit]]
    more = len(found) > limit
    return rows, (rows[-1].workspace, rows[-1].name) if more else None


async def of_resource(connection: Connection, workspace: str, resource: str) -> str | None:
    """The name of the Lease that stands for a resource of a workspace."""
    name: str | None = await connection.fetchval(
        "SELECT name FROM leases WHERE workspace = $1 AND resource = $2 AND removed_at IS NULL",
        workspace,
        resource,
    )
    return name


def stored(row: asyncpg.Record) -> Lease:
    """A row, read with ``COLUMNS``."""
    holder = None
    if row["holder"] is not None:
        uid = str(row["job_uid"]) if row["job_uid"] is not None else None
        holder = LeaseHolder(row["holder"], uid, row["job_name"], row["attempt"])
    return Lease(
        workspace=row["workspace"],
        name=row["name"],
        uid=str(row["uid"]),
        is_removed=row["removed_at"] is not None,
        resource=row["resource"],
        ttl_seconds=row["ttl_seconds"],
        steal_after_seconds=row["steal_after_seconds"],
        quarantine_seconds=row["quarantine_seconds"],
        declared=row["declared"],
        is_confirmed=row["is_confirmed"],
        token=row["token"],
        state=LeaseState(row["state"]),
        reason=row["reason"],
        holder=holder,
        with_run=row["with_run"],
        former_holder=row["former_holder"],
        acquired_at=row["acquired_at"],
        renewed_at=row["renewed_at"],
        expires_at=row["expires_at"],
        changed_at=row["changed_at"],
        read_at=row["read_at"],
        waiters=row["waiters"],
        first_waiter=row["first_waiter"],
    )
