"""Databases as earlier versions have left them: the schema of a revision, and rows of it as data.

``tests/store/upgrades/rows`` has a file for each revision that brought tables or columns, with what a
program of that version writes. A database of revision N holds the rows of all files up to N.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection

from coxswain.store import migrate
from tests.support.postgres import Database

ROWS = Path(__file__).parents[1] / "store" / "upgrades" / "rows"
# They belong to the schema, and change with it.
OF_THE_SCHEMA = ("alembic_version", "schema_info")
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = 'public'::regnamespace AND relname <> ALL ($1::text[]) ORDER BY relname"
)
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Earlier:
    """A database of an earlier version at head: what it held, and what it holds now."""

    revision: int
    database: Database
    before: Rows
    after: Rows


async def bring(dsn: str, revision: int) -> None:
    """Make a database of an earlier version: its schema, and no more."""

    def upgrade(connection: SyncConnection) -> None:
        config = Config()
        config.set_main_option("script_location", str(migrate.SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, f"{revision:04}")
        connection.commit()

    engine = migrate._engine(dsn)
    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()


async def fill(database: Database, revision: int) -> Rows:
    """Bring an empty database to a revision and fill it; all its rows."""
    await bring(database.owner, revision)
    files = [file for file in sorted(ROWS.glob("*.sql")) if int(file.stem) <= revision]
    connection = await asyncpg.connect(database.owner)
    try:
        for file in files:
            await connection.execute(file.read_text())
    finally:
        await connection.close()
    return await rows(database)


async def at_head(database: Database, revision: int) -> Earlier:
    """The same, and then brought to head in the way that the product does it."""
    before = await fill(database, revision)
    await migrate.upgrade(database.owner)
    return Earlier(revision, database, before, await rows(database))


async def rows(database: Database) -> Rows:
    """Every row of every table."""
    found: Rows = {}
    connection = await asyncpg.connect(database.owner)
    try:
        for (table,) in await connection.fetch(TABLES, OF_THE_SCHEMA):
            texts = await connection.fetch(f'SELECT to_jsonb(each)::text FROM "{table}" AS each')  # noqa: S608 - of the catalogue
            found[table] = [json.loads(text) for (text,) in texts]
    finally:
        await connection.close()
    return found


def unset(found: Rows) -> list[str]:
    """The columns, TABLE.COLUMN, that no row has a value in; a table without rows as a whole."""
    missing = []
    for table, standing in found.items():
        columns = standing[0] if standing else [""]
        missing += [
            f"{table}.{column}"
            for column in columns
            if all(row[column] is None for row in standing)
        ]
    return missing


def lost(before: Rows, after: Rows) -> list[str]:
    """The rows of before that do not stand in the same columns with the same values."""
    gone = []
    for table, standing in before.items():
        columns = list(standing[0]) if standing else []
        left = Counter(_text(row, columns) for row in after.get(table, []))
        gone += [
            f"{table} {text}"
            for text in (Counter(_text(row, columns) for row in standing) - left).elements()
        ]
    return gone


def _text(row: dict[str, Any], columns: list[str]) -> str:
    return json.dumps([row.get(column) for column in columns], sort_keys=True)
