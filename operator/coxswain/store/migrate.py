"""Brings the database to this version's schema, under a lock, before anything serves.

A newer schema is left alone if its min_version allows this program. Every other process waits, not
ready, for its own revision: ``schema.require``.

Programs of the version before work meanwhile. Whoever wants a table after us waits behind us, so each
step waits for a table for a short time only, lets the others through, and tries again.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from coxswain import settings
from coxswain.errors import ConfigurationError, CoxswainError, UnavailableError
from coxswain.store import failures, log_indexes, partitions, roles, schema
from coxswain.store.pool import CONNECT_SECONDS
from coxswain.store.schema import REVISION
from coxswain.telemetry import logs

log = logs.get(__name__)

LOCK = 0x636F7873
POLL_SECONDS = 1.0
LOCK_POLL_SECONDS = 0.2
# How long a step waits for a table that somebody reads, and lets others have it before it asks again.
TABLE_SECONDS = 2.0
PAUSE_SECONDS = 3.0
IN_USE = "55P03"
# A large table may take many minutes; what is never done has to end all the same.
LONGEST_SECONDS = 3600.0
SCRIPTS = Path(__file__).parent / "migrations"


async def upgrade(dsn: str, *, wait_seconds: float = 0) -> int:
    """Bring the database to head; waits for it and for other migrators. Returns its revision.

    Then, for as long as it takes, parts of indexes of the log are built, unless another migrator does so. Raises
    ConfigurationError if the schema is too new, UnavailableError if the wait is over.
    """
    try:
        async with asyncio.timeout(wait_seconds + LONGEST_SECONDS):
            connection = await _connect(dsn, wait_seconds)
            try:
                revision = await _locked(connection, dsn)
            finally:
                await connection.close()
    except TimeoutError as error:
        raise UnavailableError("the migration took too long") from error
    if revision == REVISION:
        await _complete(dsn)
    return revision


def main() -> int:
    """Run as the init container: migrate, then give the roles their logins where asked."""
    given = settings.load(settings.MigrateSettings)
    logs.configure(given.log_format, given.log_level)
    try:
        revision = asyncio.run(_run(given))
    except CoxswainError as error:
        log.exception("the migration failed", code=error.code)
        return 1
    log.info("the schema is ready", revision=revision)
    return 0


async def _run(given: settings.MigrateSettings) -> int:
    dsn = given.database_dsn.get_secret_value()
    revision = await upgrade(dsn, wait_seconds=given.migrate_wait_seconds)
    passwords = {
        roles.OPERATOR: given.operator_password,
        roles.SIDECAR: given.sidecar_password,
        roles.GATEWAY: given.gateway_password,
    }
    connection = await _connect(dsn, wait_seconds=0)
    try:
        for role, password in passwords.items():
            if password is not None:
                await roles.give_login(connection, role, password.get_secret_value())
    finally:
        await connection.close()
    return revision


async def _locked(connection: "asyncpg.Connection[asyncpg.Record]", dsn: str) -> int:
    with failures.translated():
        # A session's lock: it goes with the connection, also when we are killed. Whoever waited for it in
        # a statement would be waited for by an index that is built.
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
            await asyncio.sleep(LOCK_POLL_SECONDS)
        found, minimum = await schema.standing(connection)
        if found > REVISION:
            if minimum > REVISION:
                raise ConfigurationError(
                    f"the database needs programs of revision {minimum}, this one has {REVISION}:"
                    " install a newer version"
                )
            return found
        while not await _is_brought(connection, dsn):
            log.info("waiting for a table that is in use", seconds=PAUSE_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)
        return REVISION


async def _is_brought(connection: "asyncpg.Connection[asyncpg.Record]", dsn: str) -> bool:
    """Do every step that is missing; False where one met somebody who uses its table."""
    try:
        await _alembic(dsn)
        await partitions.make(connection, datetime.now(UTC).date())
    except (asyncpg.LockNotAvailableError, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if getattr(cause, "sqlstate", None) != IN_USE:
            raise
        return False
    return True


async def _complete(dsn: str) -> None:
    connection = await _connect(dsn, wait_seconds=0)
    try:
        with failures.translated():
            await log_indexes.complete(connection)
    finally:
        await connection.close()


async def _alembic(dsn: str) -> None:
    engine = _engine(dsn)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade_to_head)
    finally:
        await engine.dispose()


def _engine(dsn: str) -> AsyncEngine:
    # The driver reads the address itself, so that it means the same here as everywhere else.
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(
            dsn,
            timeout=CONNECT_SECONDS,
            server_settings={"lock_timeout": f"{TABLE_SECONDS:g}s"},
        ),
        poolclass=NullPool,
    )


def _upgrade_to_head(connection: SyncConnection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


async def _connect(dsn: str, wait_seconds: float) -> "asyncpg.Connection[asyncpg.Record]":
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    while True:
        try:
            with failures.translated():
                return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
        except UnavailableError as error:
            if loop.time() >= deadline:
                raise
            log.info("waiting for the database", reason=error.message)
            await asyncio.sleep(POLL_SECONDS)
