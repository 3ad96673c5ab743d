"""What the leader's writes cost in messages to Postgres: each is a call of the kernel and a wait, here and there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio

from coxswain.reconcile.fence import Fence
from coxswain.reconcile.records import Records
from coxswain.store.pool import Connection, Store
from coxswain.store.runs import Closing
from tests.support.postgres import Database, opened
from tests.support.rows import new_run

BEGIN, COMMIT = "BEGIN; SELECT", "COMMIT"
Ask = Callable[[Awaitable[Any]], Awaitable[list[str]]]


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """A store of one connection."""
    async with opened(database.operator, connections=1) as found:
        yield found


@pytest_asyncio.fixture
async def records(store: Store) -> Records:
    """The records of a leader whose connection has asked for all types that it needs."""
    fence = Fence(store, "one")
    fence.begin(1)
    assert await fence.take() == 0
    made, first = Records(fence, key_seconds=60), new_run()
    await made.open_run(first)
    await made.close_run(Closing(first.key, "Succeeded/Completed", True))
    return made


async def _messages(store: Store, work: Awaitable[Any]) -> list[str]:
    """How each message to Postgres begins."""
    found: list[str] = []

    async def listen(connection: Connection) -> None:
        connection.add_query_logger(lambda record: found.append(record.query))

    await store.run(listen)
    await work
    return [" ".join(query.split()[:2]) for query in found]


async def test_a_first_attempt_gets_its_row_in_three(store: Store, records: Records) -> None:
    found = await _messages(store, records.open_run(new_run()))
    assert found == [BEGIN, "INSERT INTO", COMMIT]


async def test_a_run_is_closed_and_its_leases_are_let_go_in_four(
    store: Store, records: Records
) -> None:
    new = new_run()
    await records.open_run(new)
    closing = Closing(new.key, "Succeeded/Completed", True)
    found = await _messages(store, records.close_run(closing))
    assert found == [BEGIN, "UPDATE runs", "WITH wanted", COMMIT]
