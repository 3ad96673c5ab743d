"""Indexes of the event log: whole at the end, and nobody who writes waits meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeAlias

import asyncpg
import pytest
from asyncpg.transaction import Transaction

from coxswain.store import events, log_indexes, migrate, partitions, schema
from coxswain.store.pool import Store
from tests.support import revisions
from tests.support.postgres import Database, Server
from tests.support.rows import event

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
EXTRA = "CREATE INDEX events_extra ON ONLY events (attempt) WHERE attempt IS NOT NULL"
WRITES = "LOCK TABLE events IN ROW EXCLUSIVE MODE"
TODAY = f"events_{datetime.now(UTC):%Y%m%d}"


@pytest.fixture
def empty(postgres: Server) -> Iterator[Database]:
    made = postgres.create(migrated=False)
    yield made
    postgres.drop(made)


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[Session]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def parts(connection: Session, index: str) -> tuple[bool, int, int]:
    """Whether an index is whole, how many partitions it has, and how many there are."""
    row = await connection.fetchrow(
        "SELECT indisvalid, (SELECT count(*) FROM pg_inherits WHERE inhparent = indexrelid) AS has,"
        " (SELECT count(*) FROM pg_inherits WHERE inhparent = indrelid) AS there"
        " FROM pg_index WHERE indexrelid = $1::text::regclass",
        index,
    )
    assert row is not None
    return row["indisvalid"], row["has"], row["there"]


async def begun(connection: Session) -> Transaction:
    """One that writes: whoever builds has to wait for it, and nobody for them."""
    writing = connection.transaction()
    await writing.start()
    await connection.execute(WRITES)
    return writing


async def building(connection: Session) -> None:
    """Return when an index is being built and waits for somebody."""
    async with asyncio.timeout(10):
        while not await connection.fetchval(  # noqa: ASYNC110 - Postgres does it
            "SELECT true FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'"
        ):
            await asyncio.sleep(0.02)


async def test_who_writes_does_not_wait_for_an_index_that_is_built(
    database: Database, sidecar_store: Store
) -> None:
    await sidecar_store.run(events.append, [event(attempt=1)])
    async with session(database.owner) as owner, session(database.admin) as other:
        await owner.execute(EXTRA)
        writing = await begun(other)
        task = asyncio.create_task(log_indexes.complete(owner))
        async with session(database.admin) as looking:
            await building(looking)
        async with asyncio.timeout(3):
            await sidecar_store.run(events.append, [event(attempt=2)])
        await writing.rollback()
        _, _, there = await parts(other, "events_extra")
        assert await task == there
        assert await parts(other, "events_extra") == (True, there, there)
        assert await log_indexes.complete(owner) == 0


async def test_who_is_killed_while_building_is_followed_by_the_next(
    database: Database, sidecar_store: Store
) -> None:
    await sidecar_store.run(events.append, [event(attempt=1)])
    async with session(database.owner) as owner, session(database.admin) as other:
        await owner.execute(EXTRA)
        writing = await begun(other)
        async with session(database.owner) as killed, session(database.admin) as looking:
            task = asyncio.create_task(log_indexes.complete(killed))
            await building(looking)
            # Somebody is about it already: the second neither waits nor builds.
            assert await log_indexes.complete(owner) == 0
            await looking.execute("SELECT pg_terminate_backend($1)", killed.get_server_pid())
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
                await task
        await writing.rollback()
        assert not (await parts(other, "events_extra"))[0]
        async with asyncio.timeout(10):
            # The lock of the killed session goes with it.
            while not await log_indexes.complete(owner):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        is_whole, has, there = await parts(other, "events_extra")
    assert (is_whole, has) == (True, there)


async def test_a_day_that_is_made_meanwhile_has_its_part(database: Database) -> None:
    async with session(database.owner) as owner:
        await owner.execute(EXTRA)
        (_, _, before) = await parts(owner, "events_extra")
        made = await partitions.make(owner, datetime(2030, 1, 1, tzinfo=UTC).date())
        assert made > 0
        assert await parts(owner, "events_extra") == (False, made, before + made)
        assert await log_indexes.complete(owner) == before
        assert (await parts(owner, "events_extra"))[0]


async def test_a_log_of_an_earlier_version_gets_the_index_of_security_beside_its_writers(
    empty: Database,
) -> None:
    await revisions.bring(empty.owner, 15)
    async with session(empty.owner) as owner:
        await partitions.make(owner, datetime.now(UTC).date())
        await revisions.bring(empty.owner, 16)
        is_whole, has, there = await parts(owner, "events_of_security")
        assert (is_whole, has) == (False, 0)
        assert await migrate.upgrade(empty.owner) == schema.REVISION
        assert await parts(owner, "events_of_security") == (True, there, there)
        form = await owner.fetchval(
            "SELECT pg_get_indexdef($1::text::regclass)", f"{TODAY}_of_security"
        )
    assert form.endswith('("position") WHERE is_security')
