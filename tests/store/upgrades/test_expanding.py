"""Replicas of two versions work on one schema: what an older program goes by stays."""

import asyncpg
import pytest

from coxswain.store.schema import REVISION
from tests.support import revisions, surface
from tests.support.postgres import Database
from tests.support.surface import Fact


async def _surface(database: Database) -> frozenset[Fact]:
    connection = await asyncpg.connect(database.owner)
    try:
        return await surface.of(connection)
    finally:
        await connection.close()


async def test_what_a_program_of_an_earlier_schema_goes_by_is_there_at_head(
    empty: Database,
) -> None:
    """Columns and their types, what may be left out, rights, calls. Conditions on values are not looked at."""
    found = {}
    for revision in range(1, REVISION + 1):
        await revisions.bring(empty.owner, revision)
        found[revision] = await _surface(empty)
    assert len(found[1]) > 300
    broken = {each: surface.broken(found[each], found[REVISION]) for each in found}
    assert {each: facts for each, facts in broken.items() if facts} == {}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER TABLE usage RENAME COLUMN alias TO named", "column"),
        ("ALTER TABLE usage ALTER COLUMN streamed TYPE text", "column"),
        ("ALTER TABLE runs ADD COLUMN mood text NOT NULL", "may be left out"),
        ("ALTER TABLE runs ALTER COLUMN created_at DROP DEFAULT", "may be left out"),
        ("ALTER TABLE runs ALTER COLUMN pod_uid SET NOT NULL", "may be left out"),
        ("REVOKE UPDATE (result) ON runs FROM coxswain_sidecar", "may"),
        ("REVOKE DELETE ON wakes FROM coxswain_operator", "may"),
        ("DROP FUNCTION drop_usage", "may call"),
        ("ALTER FUNCTION drop_usage RENAME TO drop_old_usage", "may call"),
        ("DROP TABLE verdicts", "column"),
    ],
)
async def test_what_would_stop_an_older_program_is_told(
    database: Database, statement: str, told: str
) -> None:
    before = await _surface(database)
    connection = await asyncpg.connect(database.owner)
    await connection.execute(statement)
    await connection.close()
    broken = surface.broken(before, await _surface(database))
    assert told in {fact[0] for fact in broken}
