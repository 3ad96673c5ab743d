"""What Prometheus is told of the way to Postgres."""

import asyncio

import pytest

from coxswain.errors import UnavailableError
from coxswain.store.pool import Connection, Store
from tests.support.measured import value
from tests.support.postgres import Database, opened

IN_USE = "coxswain_store_connections_in_use"


async def _sleep(connection: Connection, begun: asyncio.Event, go: asyncio.Event) -> None:
    begun.set()
    await go.wait()


async def test_a_connection_is_in_use_as_long_as_its_operation(sidecar_store: Store) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    waits = value("coxswain_store_connection_wait_seconds_count")
    done = value("coxswain_store_operation_seconds_count")
    before = value(IN_USE)
    task = asyncio.create_task(sidecar_store.run(_sleep, begun, go))
    await begun.wait()
    assert value(IN_USE) == before + 1
    go.set()
    await task
    assert value(IN_USE) == before
    assert value("coxswain_store_connection_wait_seconds_count") == waits + 1
    assert value("coxswain_store_operation_seconds_count") == done + 1


async def test_an_operation_that_fails_in_the_end_is_counted_by_its_code(
    sidecar_store: Store,
) -> None:
    async def fail(_connection: Connection) -> None:
        raise UnavailableError("too slow", code="database_timeout")

    name = "coxswain_store_failures_total"
    before = value(name, code="database_timeout")
    with pytest.raises(UnavailableError):
        await sidecar_store.run(fail)
    assert value(name, code="database_timeout") == before + 1


async def test_the_most_that_may_be_open_is_told(database: Database) -> None:
    async with opened(database.sidecar):
        assert value("coxswain_store_connections_max") > 0
