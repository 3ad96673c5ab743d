"""The process as it is started: by its settings, from the command line."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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


@asynccontextmanager
async def started(dsn: str, folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process and the address of its health port, once it listens."""
    port, health = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "COXSWAIN_DATABASE_DSN": dsn,
        "COXSWAIN_BIND": "127.0.0.1",
        "COXSWAIN_PORT": str(port),
        "COXSWAIN_HEALTH_PORT": str(health),
        "COXSWAIN_INSTALLATION": "test",
        "COXSWAIN_ACCOUNT_FOLDER": str(folder / "not-there-yet"),
    }
    with (folder / "lines").open("w") as lines:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "coxswain", "sidecar", env=environment, stderr=lines
        )
        try:
            await listening(port)
            yield process, f"http://127.0.0.1:{health}"
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
    async with started(database.sidecar, tmp_path) as (process, health):
        url = f"{health}/readyz?verbose"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            state = await answer.json()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    assert answer.status == 200
    assert state["checks"]["postgres"]["state"] == "ok"
    assert "cannot be asked yet" in state["checks"]["kubernetes"]["why"]


async def broken(session: aiohttp.ClientSession, health: str) -> tuple[int, list[str]]:
    async with session.get(f"{health}/readyz") as answer:
        return answer.status, (await answer.json())["broken"]


async def test_it_waits_unready_for_its_schema(postgres: Server, tmp_path: Path) -> None:
    empty = await asyncio.to_thread(postgres.create, migrated=False)
    wanted = 503, ["schema", "kubernetes"]
    async with (
        started(empty.owner, tmp_path) as (_, health),
        aiohttp.ClientSession() as session,
        asyncio.timeout(30),
    ):
        # Its listening connection takes a moment.
        while await broken(session, health) != wanted:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


def test_a_refused_configuration_names_every_bad_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COXSWAIN_PORT", "no")
    monkeypatch.setenv("COXSWAIN_STREAMS", "0")
    with pytest.raises(ConfigurationError) as refused:
        settings.load(SidecarSettings)
    for key in ("PORT", "STREAMS", "DATABASE_DSN", "INSTALLATION"):
        assert f"COXSWAIN_{key}:" in refused.value.message


async def test_a_fault_that_ends_it_leaves_the_stacks_of_its_threads(
    database: Database, tmp_path: Path
) -> None:
    async with started(database.sidecar, tmp_path) as (process, _):
        process.send_signal(signal.SIGSEGV)
        async with asyncio.timeout(20):
            assert await process.wait() == -signal.SIGSEGV
    said = (tmp_path / "lines").read_text()
    assert "Fatal Python error: Segmentation fault" in said
    assert "coxswain/telemetry/crashes.py" in said
