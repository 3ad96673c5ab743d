"""What came in from outside for Schedules: recorded by gateways, handled by the operator.

A delivery is kept once, whoever brings it how often. All times are the database's.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from coxswain.api.triggers import NewTrigger, Remembered, Trigger
from coxswain.errors import UnavailableError
from coxswain.store import wakes
from coxswain.store.pool import Connection

KIND = "Schedule"
MOST_OPEN = 1000
"""Triggers of one Schedule that nobody has handled; more are not taken in."""
FULL = "too_many_waiting"
PAGE = 500
AT_ONCE = 5000
"""Triggers that are dropped in one go."""


async def record(
    connection: Connection, new: NewTrigger, remember: Sequence[Remembered] = ()
) -> bool:
    """Keep a delivery and wake the operator. False: it is known by one of these keys.

    In one transaction. Raises UnavailableError too_many_waiting.
    """
    waiting = await connection.fetchval(
        "SELECT count(*) FROM (SELECT FROM triggers"
        " WHERE schedule_uid = $1 AND handled_at IS NULL LIMIT $2) AS open",
        new.schedule_uid,
        MOST_OPEN,
    )
    if waiting >= MOST_OPEN:
        raise UnavailableError(
            f"{MOST_OPEN} triggers of this Schedule wait already; come again later", code=FULL
        )
    if not await _is_new(connection, new.schedule_uid, remember):
        return False
    await connection.execute(
        "INSERT INTO triggers (schedule_uid, workspace, schedule_name, source, delivery_id, digest,"
        " body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new.schedule_uid,
        new.workspace,
        new.schedule_name,
        new.source,
        new.delivery_id,
        new.digest,
        new.body,
    )
    await wakes.add(connection, KIND, new.workspace, new.schedule_name)
    return True


async def _is_new(connection: Connection, uid: str, remember: Sequence[Remembered]) -> bool:
    # Keys in one order, so that two of the same delivery cannot wait for each other. Of two at
    # once the second waits for the first to commit, and then finds its key.
    ordered = sorted(remember, key=lambda each: each.key)
    fresh = await connection.fetch(
        "INSERT INTO known_deliveries AS known (schedule_uid, key, until)"
        " SELECT $1, given.key, now() + make_interval(secs => given.seconds)"
        " FROM unnest($2::text[], $3::float8[]) AS given (key, seconds)"
        " ON CONFLICT (schedule_uid, key) DO UPDATE SET until = excluded.until"
        " WHERE known.until < now() RETURNING key",
        uid,
        [each.key for each in ordered],
        [float(each.seconds) for each in ordered],
    )
    return len(fresh) == len(ordered)


async def open_of(
    connection: Connection, uids: Sequence[str], *, limit: int = PAGE
) -> dict[str, tuple[Trigger, ...]]:
    """What nobody has handled yet of each of these Schedules, oldest first, so many of each.

    Without their bodies: a page of those could fill the memory of whoever reads it.
    """
    rows = await connection.fetch(
        "SELECT found.* FROM unnest($1::uuid[]) AS wanted (uid)"
        " CROSS JOIN LATERAL (SELECT id, schedule_uid, source, delivery_id, digest, received_at"
        " FROM triggers"
        " WHERE schedule_uid = wanted.uid AND handled_at IS NULL"
        " ORDER BY received_at, id LIMIT $2) AS found",
        list(uids),
        limit,
    )
    found: dict[str, list[Trigger]] = {uid: [] for uid in uids}
    for row in rows:
        found[str(row["schedule_uid"])].append(_trigger(row))
    return {uid: tuple(each) for uid, each in found.items()}


async def handle(connection: Connection, ids: Sequence[UUID | str]) -> None:
    """Nobody has to look at these again; for the transaction that writes what came of them."""
    await connection.execute(
        "UPDATE triggers SET handled_at = now() WHERE id = ANY ($1::uuid[]) AND handled_at IS NULL",
        list(ids),
    )


async def forget(connection: Connection, most: int = AT_ONCE) -> bool:
    """Drop keys by which nothing is known any more, and triggers a day after they were handled.

    So many triggers at a time; whether there may be more.
    """
    await connection.execute("DELETE FROM known_deliveries WHERE until < now()")
    dropped: int = await connection.fetchval("SELECT drop_done_triggers($1)", most)
    return dropped >= most


def _trigger(row: asyncpg.Record) -> Trigger:
    return Trigger(
        id=UUID(int=row["id"].int),
        schedule_uid=str(row["schedule_uid"]),
        source=row["source"],
        delivery_id=row["delivery_id"],
        digest=row["digest"],
        received_at=row["received_at"],
    )
