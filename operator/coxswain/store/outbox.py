"""The outbox as people see it: list, read with every try, and redrive what was given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from coxswain.api.deliveries import Delivery, DeliveryState, Try
from coxswain.errors import ConflictError
from coxswain.store import deliveries, events
from coxswain.store.events import Event
from coxswain.store.mirror import Cursor
from coxswain.store.pool import Connection

PAGE = 100
DELIVERED = "delivery_delivered"


@dataclass(frozen=True)
class Query:
    """Which deliveries to list, newest first. None takes all."""

    workspaces: frozenset[str] | None = None
    state: DeliveryState | None = None
    job: str | None = None


@dataclass(frozen=True)
class Backlog:
    """What is not settled, and how long ago the oldest of it was owed first, in seconds."""

    pending: int
    oldest_seconds: float


@dataclass(frozen=True)
class Page:
    """A page of deliveries; ``next`` is None on the last one."""

    items: tuple[Delivery, ...]
    next: Cursor | None


async def page(
    connection: Connection, query: Query, after: Cursor | None = None, *, limit: int = PAGE
) -> Page:
    """List deliveries, newest first, from where the former page ended."""
    # The index over (created_at, id) gives the order; one row more tells whether more come.
    rows = await connection.fetch(
        f"SELECT {deliveries.COLUMNS} FROM deliveries"  # noqa: S608 - a constant
        " WHERE (workspace = ANY ($1::text[]) OR $1 IS NULL) AND (state = $2 OR $2 IS NULL)"
        " AND (job_name = $3 OR $3 IS NULL)"
        " AND ((created_at, id) < ($4::timestamptz, $5::uuid) OR $4 IS NULL)"
        " ORDER BY created_at DESC, id DESC LIMIT $6",
        None if query.workspaces is None else list(query.workspaces),
        query.state,
        query.job,
        after.created_at if after is not None else None,
        after.uid if after is not None else None,
        limit + 1,
    )
    items = tuple(deliveries.stored(row) for row in rows[:limit])
    more = len(rows) > limit
    return Page(items, Cursor(items[-1].created_at, str(items[-1].id)) if more else None)


async def backlog(connection: Connection) -> Backlog:
    """What is neither delivered nor given up."""
    # The partial index leads to the pending rows; those that have ended are not looked at.
    row = await connection.fetchrow(
        "SELECT count(*) AS pending, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8"
        " AS oldest FROM deliveries WHERE state = 'Pending'"
    )
    return Backlog(row["pending"], row["oldest"]) if row is not None else Backlog(0, 0.0)


async def get(connection: Connection, workspace: str, delivery: UUID) -> Delivery | None:
    """One delivery of a workspace."""
    row = await connection.fetchrow(
        f"SELECT {deliveries.COLUMNS} FROM deliveries"  # noqa: S608 - a constant
        " WHERE id = $1 AND workspace = $2",
        delivery,
        workspace,
    )
    return deliveries.stored(row) if row is not None else None


async def tries(connection: Connection, delivery: UUID) -> Sequence[Try]:
    """What came of each try, oldest first; a try whose gateway died has left nothing."""
    rows = await connection.fetch(
        "SELECT number, at, milliseconds, status, error FROM delivery_tries"
        " WHERE delivery_id = $1 ORDER BY number",
        delivery,
    )
    return [Try(**dict(row)) for row in rows]


async def redrive(
    connection: Connection, workspace: str, delivery: UUID, event: Event
) -> Delivery | None:
    """Have a dead or skipped delivery tried again from the start; one that is due stays as it is.

    None: there is none. Raises ConflictError delivery_delivered.
    """
    again = await connection.fetchval(
        "UPDATE deliveries SET state = 'Pending', reason = '', due_at = now(), ended_at = NULL,"
        " claim = NULL, round_tries = 0, round_at = NULL"
        " WHERE id = $1 AND workspace = $2 AND state IN ('Dead', 'Skipped') RETURNING true",
        delivery,
        workspace,
    )
    found = await get(connection, workspace, delivery)
    if found is not None and found.state is DeliveryState.DELIVERED:
        raise ConflictError("the receiver has taken it already", code=DELIVERED)
    if again is not None:
        await deliveries.tell(connection)
        await events.append(connection, [event])
    return found
