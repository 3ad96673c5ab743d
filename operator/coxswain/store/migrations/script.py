"""Executes a SQL file of many statements inside a revision's transaction."""

from pathlib import Path

from alembic import op

FOLDER = Path(__file__).parent / "versions"


def execute(name: str) -> None:
    """Run the file on the migration's own connection."""
    sql = (FOLDER / name).read_text()
    # The adapter opens its transaction with its first statement of its own; the file, which goes
    # around it because a prepared statement holds one command only, must come after that.
    op.execute("SELECT 1")
    connection = op.get_bind().connection.dbapi_connection
    if connection is None:
        raise RuntimeError("the migration has no connection")
    connection.run_async(lambda driver: driver.execute(sql))
