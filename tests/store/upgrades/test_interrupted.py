"""Migrations that are killed, or that meet somebody who reads for long."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from coxswain.store import migrate, schema
from coxswain.store.pool import Connection
from tests.support import postgres, revisions
from tests.support.postgres import Database
from tests.support.rows import event

# The revision that takes the event log for itself, for a moment.
TAKES_THE_LOG = 16
# The revision that writes the audit log's rows of events in another way.
AUDITS_ANEW = 20
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
HELD = "SELECT count(*) FROM pg_locks WHERE relation = 'events'::regclass AND NOT granted"
SECONDS = 120


@asynccontextmanager
async def _reading(database: Database) -> AsyncIterator[None]:
    """Somebody reads the event log in one long transaction, as a dump does."""
    connection = await asyncpg.connect(database.owner)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM events LIMIT 1")
            yield
    finally:
        await connection.close()


async def _asked(database: Database, question: str) -> Any:
    connection = await asyncpg.connect(database.owner)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def _revision(database: Database) -> int:
    return int(await _asked(database, "SELECT version_num FROM alembic_version"))


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await is_so():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.05)


async def _waits_for_the_log(database: Database) -> bool:
    before = await _revision(database) == TAKES_THE_LOG - 1
    return before and bool(await _asked(database, HELD))


async def _begun(database: Database) -> asyncio.subprocess.Process:
    """The program as the init container runs it."""
    given = {"COXSWAIN_DATABASE_DSN": database.owner, "COXSWAIN_MODE": "dev"}
    words = (sys.executable, "-m", "coxswain", "migrate")
    return await asyncio.create_subprocess_exec(
        *words, env={**os.environ, **given}, stdout=asyncio.subprocess.DEVNULL
    )


async def test_one_that_was_killed_half_way_is_finished_by_the_next(empty: Database) -> None:
    before = await revisions.fill(empty, 12)
    async with _reading(empty):
        first = await _begun(empty)
        await _until(lambda: _waits_for_the_log(empty))
        first.kill()
        await first.wait()
        # Steps that were done stay done; of the one that was under way nothing is there.
        assert await _revision(empty) == TAKES_THE_LOG - 1
        assert revisions.lost(before, await revisions.rows(empty)) == []
        second = await _begun(empty)
    async with asyncio.timeout(SECONDS):
        assert await second.wait() == 0
    assert await _revision(empty) == schema.REVISION
    assert revisions.lost(before, await revisions.rows(empty)) == []


async def test_events_come_in_while_it_waits_for_who_reads_the_log(empty: Database) -> None:
    await revisions.bring(empty.owner, TAKES_THE_LOG - 1)
    async with postgres.opened(empty.sidecar) as store:
        async with _reading(empty):
            migrating = asyncio.create_task(migrate.upgrade(empty.owner))
            await _until(lambda: _waits_for_the_log(empty))
            assert await store.run(_append_as_before) == 1
            assert not migrating.done()
        async with asyncio.timeout(SECONDS):
            assert await migrating == schema.REVISION
        # What a program of the version before does now.
        assert await store.run(_append_as_before) == 2


async def test_an_act_whose_writing_had_begun_has_its_row_of_the_audit_log(empty: Database) -> None:
    await revisions.bring(empty.owner, AUDITS_ANEW - 1)
    ahead, writer = await asyncpg.connect(empty.owner), await asyncpg.connect(empty.sidecar)
    try:
        async with ahead.transaction():
            await ahead.execute("SELECT FROM event_head FOR UPDATE")
            writing = asyncio.create_task(_append_as_before(writer, "lease.acquired"))
            await _until(lambda: _asked(empty, WAITS))
            await revisions.bring(empty.owner, AUDITS_ANEW)
        async with asyncio.timeout(SECONDS):
            assert await writing == 1
        assert await _asked(empty, "SELECT array_agg(action) FROM audit") == ["lease.acquired"]
    finally:
        await asyncio.gather(ahead.close(), writer.close())


async def _append_as_before(connection: Connection, kind: str = "user.note") -> int:
    """An event in the words of a program that knows no versions of types; the position of it."""
    new = event(kind)
    nothing: list[None] = [None]
    position: int = await connection.fetchval(
        "SELECT last_position FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        *([new.id], [new.type], [new.actor], [""], [""], [""]),
        *(nothing, nothing, nothing, ["{}"], True),
    )
    return position
