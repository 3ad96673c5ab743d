import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from coxswain.errors import UnavailableError
from coxswain.store import events, wakes
from coxswain.store.listener import UNHEARD, Listener
from coxswain.store.pool import Store
from tests.support.postgres import Database
from tests.support.rows import event

CHANNELS = (events.CHANNEL, wakes.CHANNEL)


@asynccontextmanager
async def listening(database: Database) -> AsyncIterator[Listener]:
    listener = Listener(database.sidecar, CHANNELS)
    task = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def spoken(wake: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await wake.wait()
    wake.clear()


async def test_every_subscriber_is_woken_by_its_own_channel(
    database: Database, sidecar_store: Store
) -> None:
    async with listening(database) as listener:
        with (
            listener.subscribe(events.CHANNEL) as one,
            listener.subscribe(events.CHANNEL) as two,
            listener.subscribe(wakes.CHANNEL) as other,
        ):
            for each in (one, two, other):
                await spoken(each)
            await sidecar_store.run(events.append, [event()])
            await spoken(one)
            await spoken(two)
            assert not other.is_set()
            await sidecar_store.transact(wakes.add, "Job", "team", "first")
            await spoken(other)


async def test_a_batch_of_repeats_tells_nobody(database: Database, sidecar_store: Store) -> None:
    first, last = event(), event()
    await sidecar_store.run(events.append, [first])
    heard: list[object] = []
    session = await asyncpg.connect(database.sidecar)
    try:
        await session.add_listener(events.CHANNEL, lambda *heard_now: heard.append(heard_now[3]))
        await sidecar_store.run(events.append, [first])
        await sidecar_store.run(events.append, [last, event(), event()])
        async with asyncio.timeout(10):
            while not heard:
                await session.execute("SELECT 1")
    finally:
        await session.close()
    assert heard == ["4"]


async def test_a_lost_connection_comes_back_and_wakes_everybody(database: Database) -> None:
    async with listening(database) as listener:
        with listener.subscribe(events.CHANNEL) as wake:
            await spoken(wake)
            await _end_all(database)
            await spoken(wake)
            assert listener.connected


async def test_who_hears_is_told_what_was_said_in_its_order(
    database: Database, sidecar_store: Store
) -> None:
    async with listening(database) as listener:
        with (
            listener.subscribe(events.CHANNEL) as wake,
            listener.hear(events.CHANNEL) as said,
            listener.hear(wakes.CHANNEL) as other,
        ):
            await spoken(wake)
            for _ in range(3):
                await sidecar_store.run(events.append, [event(), event()])
            async with asyncio.timeout(10):
                assert [await said.get() for _ in range(3)] == ["2", "4", "6"]
            assert other.empty()


async def test_what_nobody_takes_is_bounded(database: Database) -> None:
    async with listening(database) as listener:
        with listener.subscribe(wakes.CHANNEL) as wake, listener.hear(wakes.CHANNEL) as said:
            await spoken(wake)
            session = await asyncpg.connect(database.sidecar)
            await session.execute(
                "SELECT pg_notify($1, n::text) FROM generate_series(1, $2) AS n",
                wakes.CHANNEL,
                UNHEARD + 50,
            )
            await session.close()
            async with asyncio.timeout(10):
                while said.qsize() < UNHEARD:
                    await spoken(wake)
            assert said.get_nowait() == "1"


async def _end_all(database: Database) -> None:
    admin = await asyncpg.connect(database.admin)
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND pid <> pg_backend_pid()",
            database.name,
        )
    finally:
        await admin.close()


async def test_what_is_told_in_the_database_comes_back_on_the_listening_connection(
    database: Database, sidecar_store: Store
) -> None:
    async with listening(database) as listener, asyncio.timeout(10):
        while not listener.connected:  # noqa: ASYNC110 - another task connects
            await asyncio.sleep(0.01)
        await listener.check(sidecar_store)


async def test_nobody_listening_is_an_error_at_once(
    database: Database, sidecar_store: Store
) -> None:
    listener = Listener(database.sidecar, CHANNELS)
    with pytest.raises(UnavailableError, match="the listening connection is lost"):
        await listener.check(sidecar_store)
