"""A sidecar or gateway that is frozen in the middle of a statement holds a run's row for no longer than seconds."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from coxswain.store import frozen, pool, runs
from coxswain.store.pool import Store
from tests.support import rows
from tests.support.postgres import Database

# Shorter than that of a statement, and never of use here: the session is not idle.
IDLE = "300ms"


@pytest.fixture
async def run(operator_store: Store) -> runs.Run:
    return await operator_store.transact(runs.open_run, rows.new_run())


@pytest.fixture
async def sleeping(database: Database, run: runs.Run) -> AsyncIterator[Any]:
    """A sidecar's session that holds the run's row and sent one message of a statement, no more."""
    connection: Any = await asyncpg.connect(database.sidecar)
    await connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE}'")
    await connection.execute("SET statement_timeout = '300ms'")
    await connection.execute("BEGIN")
    await connection.execute("SELECT 1 FROM runs FOR UPDATE")
    body = b"\0SELECT 1\0" + struct.pack("!h", 0)
    connection._transport.write(b"P" + struct.pack("!i", 4 + len(body)) + body)
    yield connection
    connection.terminate()


async def until_it_waits(store: Store) -> None:
    async def waits(connection: pool.Connection) -> bool:
        found: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'coxswain_sidecar'"
            " AND state = 'active' AND wait_event = 'ClientRead' AND pid <> pg_backend_pid()"
            " AND datname = current_database())"
        )
        return found

    async with asyncio.timeout(10):
        while not await store.run(waits):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)


async def close(store: Store, run: runs.Run) -> None:
    await store.transact(runs.close_run, run.key, "Lost", knows_result=False)


async def test_its_own_time_limits_do_not_end_it_but_another_process_of_its_login_does(
    sleeping: Any, operator_store: Store, sidecar_store: Store, run: runs.Run
) -> None:
    await until_it_waits(sidecar_store)
    closing = asyncio.create_task(close(operator_store, run))
    await asyncio.sleep(1)
    assert not closing.done()
    assert await sidecar_store.run(frozen.end, 0.5) == 1
    await asyncio.wait_for(closing, 5)


async def test_the_task_of_a_process_ends_it(
    sleeping: Any, operator_store: Store, sidecar_store: Store, run: runs.Run
) -> None:
    await until_it_waits(sidecar_store)
    watching = asyncio.create_task(frozen.run(sidecar_store, seconds=0.5, period=0.1))
    try:
        async with asyncio.timeout(15):
            await close(operator_store, run)
    finally:
        watching.cancel()


async def test_a_session_that_has_only_begun_is_left_alone(
    sleeping: Any, sidecar_store: Store
) -> None:
    await until_it_waits(sidecar_store)
    assert await sidecar_store.run(frozen.end) == 0


async def test_who_works_is_left_alone(
    database: Database, sidecar_store: Store, operator_store: Store, run: runs.Run
) -> None:
    async def work(connection: pool.Connection) -> None:
        await connection.execute("SELECT pg_sleep(2.5)")
        for _ in range(8):
            await connection.execute("SELECT 1")
            await asyncio.sleep(0.1)

    working = asyncio.create_task(sidecar_store.transact(work))
    async with asyncio.timeout(10):
        while not working.done():
            assert await sidecar_store.run(frozen.end, 2.0) == 0
            await asyncio.sleep(0.05)
    await working


async def test_one_login_ends_no_session_of_another(
    sleeping: Any, gateway_store: Store, sidecar_store: Store
) -> None:
    await until_it_waits(sidecar_store)
    await asyncio.sleep(0.2)
    assert await gateway_store.run(frozen.end, 0.1) == 0


async def test_a_server_that_can_ends_old_transactions_itself(sidecar_store: Store) -> None:
    async def limit(connection: pool.Connection) -> str | None:
        found: str | None = await connection.fetchval(
            "SELECT current_setting('transaction_timeout', true)"
        )
        return found

    async def version(connection: pool.Connection) -> int:
        return connection.get_server_version().major

    is_able = await sidecar_store.run(version) >= pool.ENDS_TRANSACTIONS
    assert await sidecar_store.run(limit) == ("15s" if is_able else None)
