"""Executes a SQL file of many statements inside a revision's transaction."""

from pathlib import Path

from alembic import op

FOLDER = Path(__file__).parent / "versions"
# Landed before it was the rule to make an index on the log of no row, and to build it beside the writers.
_LOCKED = {
    "0016_event_types.sql": ("CREATE INDEX events_of_security ON events", " ON ", " ON ONLY ")
}


def text(name: str) -> str:
    """A file as it is executed."""
    sql = (FOLDER / name).read_text()
    if name not in _LOCKED:
        return sql
    statement, on, on_only = _LOCKED[name]
    return sql.replace(statement, statement.replace(on, on_only))


def execute(name: str) -> None:
    """Run the file on the migration's own connection."""
    sql = text(name)
    # The adapter opens its transaction with its first statement of its own; the file, which goes
    # around it because a prepared statement holds one command only, must come after that.
    op.execute("SELECT 1")
    connection = op.get_bind().connection.dbapi_connection
    if connection is None:
        raise RuntimeError("the migration has no connection")
    connection.run_async(lambda driver: driver.execute(sql))
