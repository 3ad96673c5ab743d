"""What hack/bench asks for, as benches get it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from tests.support.postgres import Server, copies, database, running

__all__ = ["copies", "database"]


@dataclass(frozen=True)
class Asked:
    """``size`` and ``seconds`` are None where a bench shall use its own."""

    runs: int
    size: int | None
    seconds: int | None
    json: Path | None
    events: int | None = None
    kills: int | None = None
    soak: int | None = None
    """Minutes; None where no soak was asked for."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of hack/bench."""
    group = parser.getgroup("bench")
    group.addoption("--runs", type=int, default=1)
    group.addoption("--size", type=int)
    group.addoption("--seconds", type=int)
    group.addoption("--json", type=Path)
    group.addoption("--events", type=int)
    group.addoption("--kills", type=int)
    group.addoption("--soak", type=int)


@pytest.fixture
def asked(pytestconfig: pytest.Config) -> Asked:
    """What was asked for."""
    option = pytestconfig.getoption
    return Asked(
        option("--runs"),
        option("--size"),
        option("--seconds"),
        option("--json"),
        option("--events"),
        option("--kills"),
        option("--soak"),
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """As tests have it, but on the disk: what a bench measures is to take as long as it does there."""
    with running(on_disk=True) as server:
        yield server


@pytest.fixture
def durable(postgres: Server) -> Iterator[Server]:
    """The server with commits that wait for the disk, as they do wherever it matters."""
    asyncio.run(_execute(postgres.admin, "ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()"))
    yield postgres
    asyncio.run(_execute(postgres.admin, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))


async def _execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    for each in statements:
        await connection.execute(each)
    await connection.close()
