"""What counts as a database that answers."""

import asyncpg
import pytest

from coxswain.errors import UnavailableError
from tests.support.postgres import Database, opened


async def test_a_database_that_takes_no_writes_does_not_answer(database: Database) -> None:
    async with opened(database.sidecar) as store:
        await store.ping()
    connection = await asyncpg.connect(database.admin)
    await connection.execute(
        f"ALTER DATABASE {database.name} SET default_transaction_read_only = on"
    )
    await connection.close()
    async with opened(database.sidecar) as store:
        with pytest.raises(UnavailableError, match="the database takes no writes now"):
            await store.ping()
