"""A former leader that is frozen in the middle of a transaction keeps its successor out for no longer than seconds."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from coxswain.errors import UnavailableError
from coxswain.reconcile.fence import Fence
from coxswain.store import leadership
from coxswain.store.pool import Store
from tests.support.postgres import Database


@pytest.fixture
async def frozen(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A session of the operator's login that holds the epoch and is outside of every time limit."""
    connection = await asyncpg.connect(database.operator)
    await connection.execute("SET idle_in_transaction_session_timeout = 0")
    await connection.execute("BEGIN")
    await connection.execute("SELECT epoch FROM leadership FOR SHARE")
    yield connection
    connection.terminate()


async def test_its_session_is_ended_and_the_next_try_takes_the_epoch(
    frozen: "asyncpg.Connection[asyncpg.Record]", operator_store: Store
) -> None:
    fence = Fence(operator_store, "two")
    fence.begin(2)
    with pytest.raises(UnavailableError):
        await fence.take()
    assert await fence.take() == 0
    assert fence.is_taken
    # What the driver says depends on how far it has come with the news.
    ends = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    with pytest.raises(ends):
        await frozen.execute("UPDATE leadership SET holder = 'one'")


async def test_a_session_that_has_only_begun_is_left_alone(
    frozen: "asyncpg.Connection[asyncpg.Record]", operator_store: Store
) -> None:
    assert await operator_store.run(leadership.end_former, 60.0) == 0
    assert await frozen.fetchval("SELECT 1") == 1
