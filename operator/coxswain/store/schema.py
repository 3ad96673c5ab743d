"""Which schema this program needs, and whether the database has it. ``migrate`` makes it."""

from coxswain.errors import UnavailableError
from coxswain.store.pool import Connection

REVISION = 20


async def require(connection: Connection) -> None:
    """Raise UnavailableError unless the schema is of this program's revision, or allows it."""
    found, minimum = await standing(connection)
    if found < REVISION:
        raise UnavailableError(
            f"the database is at revision {found}, this version needs {REVISION}",
            code="schema_old",
        )
    if minimum > REVISION:
        raise UnavailableError(
            f"the database needs programs of revision {minimum}, this one has {REVISION}",
            code="schema_new",
        )


async def standing(connection: Connection) -> tuple[int, int]:
    """The schema's revision and the oldest one that it serves; zeros for an empty database."""
    there = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    if not there:
        return 0, 0
    revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    if revision is None:
        return 0, 0
    minimum = await connection.fetchval("SELECT min_version FROM schema_info")
    return int(revision), minimum or 0
