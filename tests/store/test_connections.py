"""Connections of the web door whose gateway was killed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from coxswain.api.egress import EgressHost
from coxswain.store import claims, connections, events, partitions, runs, uuid7
from coxswain.store.connections import Looked
from coxswain.store.pool import Connection, Store
from coxswain.store.runs import NewRun, RunKey
from tests.support import rows
from tests.support.postgres import Database

HOSTS = [EgressHost(host="a.example")]


def new_run() -> NewRun:
    """A run whose Agent lists a host."""
    return rows.new_run(str(uuid4()), document={"egress": HOSTS})


async def close(store: Store, since: datetime | None = None) -> Looked:
    return await store.transact(connections.close_lost, since)


async def opened(
    store: Store, key: RunKey, count: int = 1, ago: timedelta = timedelta()
) -> list[str]:
    """Connections that a gateway has told of; their ids."""
    run = await store.run(runs.of, key)
    assert run is not None
    made = [
        rows.event(
            connections.OPENED,
            id=uuid7.new(datetime.now(UTC) - ago),
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
        "UPDATE runs SET closed_at = now() - $2::interval,"
        " created_at = least(created_at, now() - $2::interval - interval '1 minute')"
        " WHERE job_uid = $1",
        key.job_uid,
        ago,
    )
    await connection.close()


async def told(store: Store, key: RunKey) -> list[dict[str, Any]]:
    page = await store.run(events.after, 0, events.Filter(type=connections.CLOSED, uid=key.job_uid))
    return [each.event.details for each in page.events]


async def test_what_nobody_closed_is_closed_once_after_the_run_without_bytes(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    first, second = await opened(gateway_store, new.key, 2)
    await closed(gateway_store, new.key, first)
    await ended(database, new.key, timedelta(minutes=5))
    assert (await close(gateway_store)).found == 1
    assert (await close(gateway_store)).found == 0
    lost = {"host": "a.example", "port": 443, "connection": second, "outcome": "gateway_lost"}
    assert (await told(gateway_store, new.key))[1:] == [lost]


async def test_a_run_that_goes_on_or_has_just_ended_is_left_to_its_gateway(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    going, fresh, old = (new_run() for _ in range(3))
    for new in (going, fresh, old):
        await operator_store.transact(runs.open_run, new)
        await opened(gateway_store, new.key)
    await ended(database, fresh.key, timedelta(seconds=30))
    await ended(database, old.key, timedelta(hours=2))
    looked = await close(gateway_store, datetime.now(UTC) - timedelta(hours=1))
    assert (looked.found, looked.is_more) == (0, False)


async def test_two_gateways_that_look_at_once_tell_it_once(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    await opened(gateway_store, new.key)
    await ended(database, new.key, timedelta(minutes=5))
    await asyncio.gather(*(close(gateway_store) for _ in range(4)))
    assert len(await told(gateway_store, new.key)) == 1


async def test_a_look_takes_a_quarter_of_an_hour_and_the_next_goes_on_until_it_is_through(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    for hours in (20, 10, 1):
        new = new_run()
        await operator_store.transact(runs.open_run, new)
        ago = timedelta(hours=hours)
        await opened(gateway_store, new.key, ago=ago)
        await ended(database, new.key, ago)
    looked = Looked(0, datetime.now(UTC) - connections.FIRST, is_more=True)
    found = []
    while looked.is_more:
        looked = await close(gateway_store, looked.since)
        found.append(looked.found)
    assert found == [1, 1, 1, 0]
    assert timedelta(minutes=11) < datetime.now(UTC) - looked.since < timedelta(minutes=13)


async def test_where_a_look_finds_more_than_it_takes_the_next_one_begins_there_again(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    await opened(gateway_store, new.key, connections.MOST + 1)
    await ended(database, new.key, timedelta(minutes=5))
    first = await close(gateway_store)
    assert (first.found, first.is_more) == (connections.MOST, True)
    second = await close(gateway_store, first.since)
    assert (second.found, second.is_more) == (1, False)


async def test_a_run_whose_agent_lists_no_host_is_not_looked_at(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    new = rows.new_run(str(uuid4()))
    await operator_store.transact(runs.open_run, new)
    await opened(gateway_store, new.key)
    await ended(database, new.key, timedelta(minutes=5))
    assert (await close(gateway_store)).found == 0


async def test_only_the_days_in_which_a_run_ran_are_read(
    operator_store: Store, gateway_store: Store, sidecar_store: Store, database: Database
) -> None:
    today = datetime.now(UTC)
    await sidecar_store.transact(partitions.make, today.date())
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    await opened(gateway_store, new.key)
    await ended(database, new.key, timedelta(minutes=5))
    span = (today - timedelta(hours=1), today)

    async def plan(connection: Connection) -> str:
        given = [*span, connections.OPENED, connections.CLOSED, connections.SKEW, 500]
        told = await connection.fetch(f"EXPLAIN (ANALYZE) {connections.LOST_ROWS}", *given)
        return "\n".join(row[0] for row in told)

    read = [line for line in (await gateway_store.run(plan)).splitlines() if " on events" in line]
    assert read
    touched = [line for line in read if "never executed" not in line]
    assert 1 <= len(touched) <= 2, touched
