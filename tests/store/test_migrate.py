import asyncio
from pathlib import Path

import asyncpg
import pytest

from coxswain.errors import ConfigurationError, UnavailableError
from coxswain.store import migrate, mirror, roles, schema
from coxswain.store.mirror import Query
from tests.support import revisions
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


async def test_a_database_of_the_first_revision_gets_the_queues_of_the_jobs_that_it_holds(
    empty: Database,
) -> None:
    await revisions.bring(empty.owner, 1)
    old = [
        "gen_random_uuid(), 'Job', 'team', 'plain', 1, '1', 'Queued', '{\"spec\": {}}', now()",
        "gen_random_uuid(), 'Job', 'team', 'named', 1, '1', '', '{\"spec\": {\"queue\": \"q\"}}', now()",
        "gen_random_uuid(), 'Agent', 'team', 'agent', 1, '1', 'Ready', '{\"spec\": {}}', now()",
    ]
    columns = "uid, kind, workspace, name, generation, resource_version, phase, object, created_at"
    for values in old:
        await _execute(empty.owner, f"INSERT INTO mirror ({columns}) VALUES ({values})")  # noqa: S608 - fixed
    assert await migrate.upgrade(empty.owner) == schema.REVISION
    async with opened(empty.operator) as store:
        for queue, names in {"default": ["plain"], "q": ["named"], "other": []}.items():
            page = await store.run(mirror.page, Query("Job", queue=queue))
            assert [each.name for each in page.objects] == names
        agents = await store.run(mirror.page, Query("Agent"))
        assert [each.name for each in agents.objects] == ["agent"]


async def test_a_process_waits_while_the_schema_is_missing(empty: Database) -> None:
    async with opened(empty.owner) as store:
        with pytest.raises(UnavailableError, match="revision 0"):
            await store.run(schema.require)


async def test_many_migrators_at_once_make_one_schema(empty: Database) -> None:
    found = await asyncio.gather(*(migrate.upgrade(empty.owner) for _ in range(4)))
    assert found == [schema.REVISION] * 4


async def test_a_newer_schema_is_left_alone_if_it_allows_us(database: Database) -> None:
    await _execute(database.owner, "UPDATE alembic_version SET version_num = '0099'")
    assert await migrate.upgrade(database.owner) == 99
    async with opened(database.operator) as store:
        await store.run(schema.require)
        await _execute(database.owner, "UPDATE schema_info SET min_version = 99")
        with pytest.raises(UnavailableError) as refused:
            await store.run(schema.require)
    assert refused.value.code == "schema_new"
    with pytest.raises(ConfigurationError, match="needs programs of revision 99") as told:
        await migrate.upgrade(database.owner)
    assert told.value.message.endswith("install a newer version")


async def test_a_migration_that_fails_half_way_leaves_nothing(empty: Database) -> None:
    await _execute(empty.owner, "CREATE TABLE issuer_keys (mine integer)")
    with pytest.raises(Exception, match="42P07"):
        await migrate.upgrade(empty.owner)
    connection = await asyncpg.connect(empty.owner)
    left = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'public'::regnamespace"
    )
    await connection.close()
    assert {row["relname"] for row in left} <= {"issuer_keys", "alembic_version"}


async def test_a_database_that_does_not_answer_is_waited_for_and_given_up(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        await migrate.upgrade(f"postgresql://nobody@/none?host={tmp_path}", wait_seconds=0)


async def test_a_role_logs_in_with_the_password_it_was_given(
    postgres: Server, database: Database
) -> None:
    role = f"test_{database.name}"
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"CREATE ROLE {role}")
    await roles.give_login(connection, role, "it's \\ good")
    await connection.close()
    dsn = postgres.dsn(database.name, role)
    for password, good in (("it's \\ good", True), ("another", False)):
        try:
            session = await asyncpg.connect(dsn, password=password)
        except asyncpg.InvalidPasswordError:
            assert not good
        else:
            await session.close()
            assert good
    await _execute(database.owner, f"DROP ROLE {role}")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
