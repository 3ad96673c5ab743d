"""Who waits for a lease, in the order in which they came. A ticket lapses if nobody refreshes it.

The first of the living tickets says whose turn it is; nobody else is given the lease. A Job has one
ticket, in the line of the lease that is in its way, and keeps its place when it changes lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from coxswain.api.records import LeaseHolder
from coxswain.rules import leasing
from coxswain.store import wakes
from coxswain.store.leases import rows
from coxswain.store.leases.rows import Place
from coxswain.store.pool import Connection

CHANNEL = "coxswain_leases"
"""Speaks when a lease may be free for one who waits."""
MOST = 100
JOB_SECONDS = 60.0
KEPT_SECONDS = 60.0


@dataclass(frozen=True)
class Ticket:
    """Wait for a lease, for so long unless refreshed."""

    workspace: str
    name: str
    holder: LeaseHolder
    seconds: float


async def stand(connection: Connection, ticket: Ticket) -> datetime | None:
    """Stand in the line, or go on standing there; until when. None: the line is full.

    A Job has seen the lease a while ago. It is locked, so whoever lets go of it has done so, and the Job
    is woken here, or does so afterwards, and calls who stands in the line.
    """
    holder, place = ticket.holder, (ticket.workspace, ticket.name)
    former = None
    if holder.job_name is not None:
        await rows.locked(connection, [place])
        former = await _leave_others(connection, ticket)
    # A place is kept as long as the ticket lives; one that has lapsed begins anew at the end.
    standing = await connection.fetchrow(
        "INSERT INTO lease_tickets AS standing (workspace, name, holder, place, job_name, alive_until)"
        " SELECT $1, $2, $3, coalesce($6, nextval('lease_places')), $4,"
        " clock_timestamp() + make_interval(secs => $5)"
        " WHERE (SELECT count(*) FROM lease_tickets AS each WHERE each.workspace = $1"
        " AND each.name = $2 AND each.holder <> $3 AND each.alive_until > clock_timestamp()) < $7"
        " ON CONFLICT (workspace, name, holder) DO UPDATE"
        " SET alive_until = greatest(standing.alive_until, excluded.alive_until), place = CASE"
        " WHEN standing.alive_until > clock_timestamp() THEN standing.place ELSE excluded.place END"
        " RETURNING xmax = 0 AS is_new, alive_until",
        ticket.workspace,
        ticket.name,
        holder.text,
        holder.job_name,
        ticket.seconds,
        former,
        MOST,
    )
    woken = [("Lease", *place)] if standing is not None and standing["is_new"] else []
    if holder.job_name is not None and await _is_its_turn(connection, ticket):
        woken.append(("Job", ticket.workspace, holder.job_name))
    if woken:
        await wakes.add_all(connection, woken)
    until: datetime | None = standing["alive_until"] if standing is not None else None
    return until


async def _is_its_turn(connection: Connection, ticket: Ticket) -> bool:
    """Whether the lease is to be had by now. One that another is ahead for wakes nobody in vain."""
    place = (ticket.workspace, ticket.name)
    lease = (await rows.of(connection, [place])).get(place)
    return leasing.refusal(lease, ticket.holder, name=ticket.name) is None


async def _leave_others(connection: Connection, ticket: Ticket) -> int | None:
    """Leave all other lines; the place that goes along. Who is next there is called."""
    left = await connection.fetch(
        "DELETE FROM lease_tickets WHERE workspace = $1 AND holder = $2 AND name <> $3"
        " RETURNING name, CASE WHEN alive_until > clock_timestamp() THEN place END AS place",
        ticket.workspace,
        ticket.holder.text,
        ticket.name,
    )
    await call_and_wake(connection, [(ticket.workspace, row["name"]) for row in left])
    return min((row["place"] for row in left if row["place"] is not None), default=None)


async def leave(connection: Connection, workspace: str, holder: str, name: str | None) -> None:
    """Take a holder out of one line, or out of all of its workspace; who is next is called."""
    left = await connection.fetch(
        "DELETE FROM lease_tickets WHERE workspace = $1 AND holder = $2 AND (name = $3 OR $3 IS NULL)"
        " RETURNING name",
        workspace,
        holder,
        name,
    )
    await call_and_wake(connection, [(workspace, row["name"]) for row in left])


async def give_up(connection: Connection, place: Place, holder: str, until: datetime) -> None:
    """Take out a ticket that nobody has refreshed beyond that; who is next is called.

    A holder who asked again meanwhile, with another request, keeps the place.
    """
    left = await connection.fetchval(
        "DELETE FROM lease_tickets WHERE workspace = $1 AND name = $2 AND holder = $3"
        " AND alive_until <= $4 RETURNING true",
        *place,
        holder,
        until,
    )
    await call_and_wake(connection, [place] if left else [])


async def drop(connection: Connection, served: Sequence[tuple[str, str, str]]) -> None:
    """Take away the tickets of those who were served: workspace, name and holder of each."""
    await connection.execute(
        "DELETE FROM lease_tickets USING unnest($1::text[], $2::text[], $3::text[])"
        " AS served (workspace, name, holder) WHERE lease_tickets.workspace = served.workspace"
        " AND lease_tickets.name = served.name AND lease_tickets.holder = served.holder",
        [workspace for workspace, _, _ in served],
        [name for _, name, _ in served],
        [holder for _, _, holder in served],
    )


async def stands(connection: Connection, workspace: str, holder: str) -> frozenset[str]:
    """The leases in whose lines a holder stands."""
    rows = await connection.fetch(
        "SELECT name FROM lease_tickets WHERE workspace = $1 AND holder = $2"
        " AND alive_until > clock_timestamp()",
        workspace,
        holder,
    )
    return frozenset(row["name"] for row in rows)


async def ahead(connection: Connection, workspace: str, name: str, holder: str) -> int:
    """How many stand before a holder in a line, or in it at all where the holder does not."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM lease_tickets WHERE workspace = $1 AND name = $2 AND holder <> $3"
        " AND alive_until > clock_timestamp() AND place < coalesce((SELECT place FROM lease_tickets"
        " WHERE workspace = $1 AND name = $2 AND holder = $3), 9223372036854775807)",
        workspace,
        name,
        holder,
    )
    return count


async def call(connection: Connection, places: Sequence[Place]) -> list[Place]:
    """Tell those who wait at the API, and return the Jobs whose turn it is, to be woken."""
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
    rows = await connection.fetch(
        "SELECT DISTINCT ON (workspace, name) workspace, name, job_name"
        " FROM unnest($1::text[], $2::text[]) AS free (workspace, name)"
        " JOIN lease_tickets USING (workspace, name) WHERE alive_until > clock_timestamp()"
        " ORDER BY workspace, name, place",
        [workspace for workspace, _ in places],
        [name for _, name in places],
    )
    return [(row["workspace"], row["job_name"]) for row in rows if row["job_name"] is not None]


async def call_and_wake(connection: Connection, places: Sequence[Place]) -> None:
    """Somebody has left these lines: whoever is next looks whether the lease is free."""
    if not places:
        return
    called = await call(connection, places)
    woken = [("Job", *each) for each in called]
    await wakes.add_all(connection, [*(("Lease", *each) for each in places), *woken])


async def purge(connection: Connection) -> None:
    """Drop tickets that have lapsed long ago."""
    await connection.execute(
        "DELETE FROM lease_tickets WHERE alive_until < clock_timestamp() - make_interval(secs => $1)",
        KEPT_SECONDS,
    )
