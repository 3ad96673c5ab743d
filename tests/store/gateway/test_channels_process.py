"""The channel gateway as a process of its own, which may be killed at any moment."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from coxswain.store import mirror, triggers
from coxswain.store.pool import Store
from devtools import children
from tests.support import rows
from tests.support.postgres import Database
from tests.support.receiver import Hang, Receiver, Say

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


@asynccontextmanager
async def process(
    database: Database, origin: str, folder: Path, health_port: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A gateway as it is started in a pod; its API server does not answer."""
    kubeconfig = folder / "kubeconfig"
    await asyncio.to_thread(kubeconfig.write_text, KUBECONFIG)
    wanted = {
        "database_dsn": database.gateway,
        "bind": "127.0.0.1",
        "port": children.free_port(),
        "health_port": health_port or children.free_port(),
        "kubeconfig": kubeconfig,
        "installation": "test",
        "polls_allowed_domains": json.dumps(["localhost"]),
        "polls_origins": json.dumps([origin]),
        "polls_round_seconds": "0.05",
    }
    environment = {f"COXSWAIN_{name.upper()}": str(value) for name, value in wanted.items()}
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "coxswain", "channels", env={**os.environ, **environment}
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def test_a_process_that_is_killed_in_a_look_leaves_it_to_another_and_the_change_fires_once(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with Receiver() as page:
        origin = f"http://localhost:{page.port}"
        page.will(Say(body=b"a"), Hang())
        page.always(Say(body=b"b"))
        uid = str(uuid4())
        poll = {"url": f"{origin}/", "intervalSeconds": 10}
        row = rows.job("watch", uid=uid, kind="Schedule", spec={"poll": poll})
        await operator_store.transact(mirror.write, [row], [])
        async with process(database, origin, tmp_path) as first:
            await page.has(1)
            await _settled(database)
            await _execute(database, "UPDATE polls SET due_at = now()")
            await page.has(2)
            first.kill()
            await first.wait()
        assert (await operator_store.run(triggers.open_of, [uid]))[uid] == ()
        await _execute(database, "UPDATE polls SET due_at = now()")
        async with process(database, origin, tmp_path) as second:
            await page.has(3)
            await _settled(database)
            second.terminate()
            async with asyncio.timeout(20):
                assert await second.wait() == 0
        assert len((await operator_store.run(triggers.open_of, [uid]))[uid]) == 1


async def test_it_is_ready_while_the_api_server_is_away_and_says_so(
    database: Database, tmp_path: Path
) -> None:
    port = children.free_port()
    async with (
        process(database, "http://localhost:1", tmp_path, port),
        aiohttp.ClientSession() as asking,
    ):
        async with asyncio.timeout(30):
            while True:
                try:
                    async with asking.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        said = await answer.json()
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
    assert (answer.status, said["broken"]) == (200, [])
    assert said["checks"]["kubernetes"] != "ok"


async def test_it_refuses_to_start_with_an_origin_that_is_none(
    database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with process(database, "http://localhost:99999", tmp_path) as started:
        assert await started.wait() == 78
    assert "'http://localhost:99999' is no origin" in capfd.readouterr().err


async def _settled(database: Database) -> None:
    connection = await asyncpg.connect(database.admin)
    statement = "SELECT bool_and(claim IS NULL AND digest <> '') FROM polls"
    async with asyncio.timeout(20):
        while not await connection.fetchval(statement):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)
    await connection.close()


async def _execute(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(database.admin)
    await connection.execute(statement)
    await connection.close()
