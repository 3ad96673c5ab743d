"""A database as an earlier version left it."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection

from coxswain.store import migrate


async def at_revision(dsn: str, revision: str) -> None:
    """Go on to this revision, and leave what a migrator does after it."""

    def upgrade(connection: SyncConnection) -> None:
        config = Config()
        config.set_main_option("script_location", str(migrate.SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()

    engine = migrate._engine(dsn)
    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
