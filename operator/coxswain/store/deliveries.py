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
    Outcome,
)
from coxswain.store import events
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


async def settle(connection: Connection, batch: Sequence[Outcome]) -> list[bool]:
    """Keep what came of claims, their tries and events, all or nothing; False: somebody else has.

    Where nothing was sent there is no try, and the claim does not count as one.
    """
    tried = [(each.claimed.delivery.id, each.tried) for each in batch if each.tried is not None]
    await connection.execute(
        "INSERT INTO delivery_tries (delivery_id, number, at, milliseconds, status, error)"
        " SELECT * FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::integer[],"
        " $5::integer[], $6::text[]) ON CONFLICT DO NOTHING",
        [delivery for delivery, _ in tried],
        [each.number for _, each in tried],
        [each.at for _, each in tried],
        [each.milliseconds for _, each in tried],
        [each.status for _, each in tried],
        [each.error for _, each in tried],
    )
    ours = await _end_claims(connection, batch)
    if ours:
        # Last: from here on the head of the log is locked.
        await events.append(connection, [each.event for each in batch if _key(each) in ours])
    return [_key(each) in ours for each in batch]


async def _end_claims(
    connection: Connection, batch: Sequence[Outcome]
) -> frozenset[tuple[UUID, UUID]]:
    # Delivered is a fact also where the claim has run out meanwhile.
    rows = await connection.fetch(
        "UPDATE deliveries SET state = outcome.state, reason = outcome.reason, claim = NULL,"
        " due_at = now() + make_interval(secs => outcome.wait),"
        " tries = tries - outcome.unsent, round_tries = round_tries - outcome.unsent,"
        " ended_at = CASE WHEN outcome.state <> 'Pending' THEN now() END"
        " FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::float8[], $6::integer[])"
        " AS outcome (id, claim, state, reason, wait, unsent)"
        " WHERE deliveries.id = outcome.id"
        " AND (deliveries.state = 'Pending' AND deliveries.claim = outcome.claim"
        " OR outcome.state = 'Delivered' AND deliveries.state <> 'Delivered')"
        " RETURNING outcome.id, outcome.claim",
        [each.claimed.delivery.id for each in batch],
        [each.claimed.claim for each in batch],
        [each.found.state.value for each in batch],
        [each.found.reason for each in batch],
        [each.found.wait_seconds for each in batch],
        [1 if each.tried is None else 0 for each in batch],
    )
    return frozenset((UUID(int=row["id"].int), UUID(int=row["claim"].int)) for row in rows)


def _key(outcome: Outcome) -> tuple[UUID, UUID]:
    return outcome.claimed.delivery.id, outcome.claimed.claim


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
