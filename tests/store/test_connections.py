"""Connections of the web door whose gateway was killed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from coxswain.store import claims, connections, events, runs, uuid7
from coxswain.store.pool import Store
from coxswain.store.runs import RunKey
from tests.support import rows
from tests.support.postgres import Database

BACK = timedelta(hours=1)


async def opened(store: Store, key: RunKey, count: int = 1) -> list[str]:
    """Connections that a gateway has told of; their ids."""
    run = await store.run(runs.of, key)
    assert run is not None
    made = [
        rows.event(
            connections.OPENED,
            id=uuid7.new(datetime.now(UTC)),
            actor=claims.actor(run),
            workspace="team",
            kind="Job",
            name="first",
            uid=key.job_uid,
            attempt=key.attempt,
            details={"host": "a.example", "port": 443},
        )
        for _ in range(count)
    ]
    await store.run(events.append, made)
    return [str(each.id) for each in made]


async def closed(store: Store, key: RunKey, connection: str) -> None:
    details = {"host": "a.example", "port": 443, "connection": connection, "sent": 1}
    event = rows.event(connections.CLOSED, uid=key.job_uid, attempt=key.attempt, details=details)
    await store.run(events.append, [event])


async def ended(database: Database, key: RunKey, ago: timedelta) -> None:
    connection = await asyncpg.connect(database.admin)
    await connection.execute(
        "UPDATE runs SET closed_at = now() - $2::interval WHERE job_uid = $1", key.job_uid, ago
    )
    await connection.close()


async def told(store: Store, key: RunKey) -> list[dict[str, Any]]:
    page = await store.run(events.after, 0, events.Filter(type=connections.CLOSED, uid=key.job_uid))
    return [each.event.details for each in page.events]


async def test_what_nobody_closed_is_closed_once_after_the_run_without_bytes(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    new = rows.new_run(str(uuid4()))
    await operator_store.transact(runs.open_run, new)
    first, second = await opened(gateway_store, new.key, 2)
    await closed(gateway_store, new.key, first)
    await ended(database, new.key, timedelta(minutes=5))
    assert await gateway_store.transact(connections.close_lost, BACK) == 1
    assert await gateway_store.transact(connections.close_lost, BACK) == 0
    lost = {"host": "a.example", "port": 443, "connection": second, "outcome": "gateway_lost"}
    assert (await told(gateway_store, new.key))[1:] == [lost]


async def test_a_run_that_goes_on_or_has_just_ended_is_left_to_its_gateway(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    going, fresh, old = (rows.new_run(str(uuid4())) for _ in range(3))
    for new in (going, fresh, old):
        await operator_store.transact(runs.open_run, new)
        await opened(gateway_store, new.key)
    await ended(database, fresh.key, timedelta(seconds=30))
    await ended(database, old.key, timedelta(hours=2))
    assert await gateway_store.transact(connections.close_lost, BACK) == 0


async def test_two_gateways_that_look_at_once_tell_it_once(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    new = rows.new_run(str(uuid4()))
    await operator_store.transact(runs.open_run, new)
    await opened(gateway_store, new.key)
    await ended(database, new.key, timedelta(minutes=5))
    looks = [gateway_store.transact(connections.close_lost, BACK) for _ in range(4)]
    await asyncio.gather(*looks)
    assert len(await told(gateway_store, new.key)) == 1
