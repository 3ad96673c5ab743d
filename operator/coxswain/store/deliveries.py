"""The outbox: what is owed to receivers outside, claimed by one gateway at a time, tried, settled.

Time is the database's: a claim that ran out lets another gateway try, so a receiver may hear twice
and never not at all. Whoever settles names the claim; only the news that it was delivered is taken
from everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg

from coxswain.api.deliveries import (
    Claimed,
    Delivery,
    DeliveryState,
    NewDelivery,
    Settled,
    Try,
)
from coxswain.store import events
from coxswain.store.events import Event
from coxswain.store.pool import Connection

CHANNEL = "coxswain_deliveries"
COLUMNS = (
    "id, workspace, job_uid, job_name, type, url, host, signing_secret, state, reason, created_at,"
    " due_at, ended_at, tries, round_tries"
)


@dataclass(frozen=True)
class Room:
    """How much a gateway can take on: in all, per host, and per host that it is busy with."""

    total: int
    per_host: int
    busy: dict[str, int]


async def owe(connection: Connection, batch: Sequence[NewDelivery]) -> int:
    """Put deliveries into the outbox, in the caller's transaction; how many were new."""
    new = await connection.fetch(
        "INSERT INTO deliveries (id, workspace, job_uid, job_name, type, url, host,"
        " signing_secret, body)"
        " SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[],"
        " $6::text[], $7::text[], $8::text[], $9::text[])"
        " ON CONFLICT (id) DO NOTHING RETURNING id",
        [each.id for each in batch],
        [each.workspace for each in batch],
        [each.job_uid for each in batch],
        [each.job_name for each in batch],
        [each.type for each in batch],
        [each.url for each in batch],
        [each.host for each in batch],
        [each.signing_secret for each in batch],
        [each.body for each in batch],
    )
    if new:
        await tell(connection)
    return len(new)


async def tell(connection: Connection) -> None:
    """Wake the gateways when this transaction commits."""
    # An empty payload: the same notification twice in one transaction is sent once.
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def claim(connection: Connection, room: Room, lease_seconds: float) -> tuple[Claimed, ...]:
    """Take due deliveries, so many per host at most, for one try each within the lease."""
    # hosts goes from one host to the next along the index, however many rows each has; then each
    # host gives its oldest due rows, as far as there is room for it. Another gateway's rows are
    # skipped, not waited for. The order of hosts is by chance, so none is always the last.
    rows = await connection.fetch(
        "WITH RECURSIVE hosts AS ("
        " (SELECT host FROM deliveries WHERE state = 'Pending' ORDER BY host LIMIT 1)"
        " UNION ALL"
        " SELECT (SELECT ahead.host FROM deliveries ahead WHERE ahead.state = 'Pending'"
        "  AND ahead.host > hosts.host ORDER BY ahead.host LIMIT 1)"
        " FROM hosts WHERE hosts.host IS NOT NULL),"
        " due AS (SELECT picked.id FROM"
        "  (SELECT host FROM hosts WHERE host IS NOT NULL ORDER BY random()) AS hosts"
        "  LEFT JOIN unnest($3::text[], $4::integer[]) AS busy (host, count) USING (host)"
        "  CROSS JOIN LATERAL ("
        "   SELECT id FROM deliveries WHERE state = 'Pending' AND deliveries.host = hosts.host"
        "   AND due_at <= now() ORDER BY due_at"
        "   LIMIT greatest(0, $2 - coalesce(busy.count, 0)) FOR UPDATE SKIP LOCKED) AS picked"
        "  LIMIT $1)"
        " UPDATE deliveries SET claim = $5, due_at = now() + make_interval(secs => $6),"
        " tries = tries + 1, round_tries = round_tries + 1, round_at = coalesce(round_at, now())"
        " FROM due WHERE deliveries.id = due.id"
        " RETURNING deliveries.*, extract(epoch FROM now() - round_at)::float8 AS waited",
        room.total,
        room.per_host,
        list(room.busy),
        list(room.busy.values()),
        uuid4(),
        lease_seconds,
    )
    return tuple(
        Claimed(stored(row), UUID(int=row["claim"].int), row["body"], row["waited"]) for row in rows
    )


async def give_back(connection: Connection, claimed: Claimed, wait_seconds: float) -> None:
    """Undo a claim of which nothing came: it does not count as a try."""
    await connection.execute(
        "UPDATE deliveries SET claim = NULL, due_at = now() + make_interval(secs => $3),"
        " tries = tries - 1, round_tries = round_tries - 1,"
        " round_at = CASE WHEN round_tries > 1 THEN round_at END"
        " WHERE id = $1 AND claim = $2 AND state = 'Pending'",
        claimed.delivery.id,
        claimed.claim,
        wait_seconds,
    )


async def settle(
    connection: Connection, claimed: Claimed, found: Settled, tried: Try | None, event: Event
) -> bool:
    """Keep what came of a claim, the try and its event, all or nothing; False: somebody else has.

    Where nothing was sent there is no try, and the claim does not count as one.
    """
    if tried is not None:
        await connection.execute(
            "INSERT INTO delivery_tries (delivery_id, number, at, milliseconds, status, error)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            claimed.delivery.id,
            tried.number,
            tried.at,
            tried.milliseconds,
            tried.status,
            tried.error,
        )
    # Delivered is a fact also where the claim has run out meanwhile.
    is_ours = await connection.fetchval(
        "UPDATE deliveries SET state = $3, reason = $4, claim = NULL,"
        " due_at = now() + make_interval(secs => $5),"
        " tries = tries - $6, round_tries = round_tries - $6,"
        " ended_at = CASE WHEN $3 <> 'Pending' THEN now() END"
        " WHERE id = $1 AND (state = 'Pending' AND claim = $2"
        " OR $3 = 'Delivered' AND state <> 'Delivered') RETURNING true",
        claimed.delivery.id,
        claimed.claim,
        found.state.value,
        found.reason,
        found.wait_seconds,
        1 if tried is None else 0,
    )
    if is_ours is not None:
        await events.append(connection, [event])
    return is_ours is not None


def stored(row: asyncpg.Record) -> Delivery:
    """A row of the table, without its body."""
    return Delivery(
        id=UUID(int=row["id"].int),
        workspace=row["workspace"],
        job_uid=str(row["job_uid"]),
        job_name=row["job_name"],
        type=row["type"],
        url=row["url"],
        host=row["host"],
        signing_secret=row["signing_secret"],
        state=DeliveryState(row["state"]),
        reason=row["reason"],
        created_at=row["created_at"],
        due_at=row["due_at"],
        ended_at=row["ended_at"],
        tries=row["tries"],
        round_tries=row["round_tries"],
    )
