import pytest

from coxswain.errors import UnavailableError
from coxswain.store import migrate, schema
from tests.support.postgres import Database, Server, opened


@pytest.fixture
def empty(postgres: Server) -> Database:
    return postgres.create(migrated=False)


async def test_an_empty_database_gets_the_schema_and_a_second_run_changes_nothing(
    empty: Database,
) -> None:
    assert await migrate.upgrade(empty.owner) == schema.REVISION
    assert await migrate.upgrade(empty.owner) == schema.REVISION
    async with opened(empty.operator) as store:
        await store.run(schema.require)


async def test_a_process_waits_while_the_schema_is_missing(empty: Database) -> None:
    async with opened(empty.owner) as store:
        with pytest.raises(UnavailableError, match="revision 0"):
            await store.run(schema.require)
