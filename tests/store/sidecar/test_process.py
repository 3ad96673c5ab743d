"""The process as it is started: by its settings, from the command line."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from coxswain import settings
from coxswain.errors import ConfigurationError
from coxswain.settings import SidecarSettings
from tests.support.postgres import Database, Server


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Started(NamedTuple):
    """A process that listens."""

    process: asyncio.subprocess.Process
    health: str
    """The address of its health port."""
    port: int


@asynccontextmanager
async def started(dsn: str, folder: Path, **settings: str) -> AsyncIterator[Started]:
    """The process, once it listens."""
    port, health = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "COXSWAIN_DATABASE_DSN": dsn,
        "COXSWAIN_BIND": "127.0.0.1",
        "COXSWAIN_PORT": str(port),
        "COXSWAIN_HEALTH_PORT": str(health),
        "COXSWAIN_INSTALLATION": "test",
        "COXSWAIN_ACCOUNT_FOLDER": str(folder / "not-there-yet"),
        **settings,
    }
    with (folder / "lines").open("w") as lines:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "coxswain", "sidecar", env=environment, stderr=lines
        )
        try:
            await listening(port)
            yield Started(process, f"http://127.0.0.1:{health}", port)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def listening(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return


async def test_it_starts_without_its_account_and_ends_in_order(
    database: Database, tmp_path: Path
) -> None:
    async with started(database.sidecar, tmp_path) as (process, health, _):
        async with aiohttp.ClientSession() as session, session.get(f"{health}/readyz") as answer:
            state = await answer.json()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    assert answer.status == 200
    assert state["checks"]["postgres"] == "ok"
    assert "cannot be asked yet" in state["checks"]["kubernetes"]


async def test_it_waits_unready_for_its_schema(postgres: Server, tmp_path: Path) -> None:
    empty = await asyncio.to_thread(postgres.create, migrated=False)
    async with (
        started(empty.owner, tmp_path) as (_, health, _),
        aiohttp.ClientSession() as session,
        session.get(f"{health}/readyz") as answer,
    ):
        state = await answer.json()
    assert (answer.status, state["broken"]) == (503, ["schema"])


def test_a_refused_configuration_names_every_bad_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COXSWAIN_PORT", "no")
    monkeypatch.setenv("COXSWAIN_STREAMS", "0")
    with pytest.raises(ConfigurationError) as refused:
        settings.load(SidecarSettings)
    for key in ("PORT", "STREAMS", "DATABASE_DSN", "INSTALLATION"):
        assert f"COXSWAIN_{key}:" in refused.value.message
