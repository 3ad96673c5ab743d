"""The egress gateway as a process: it sends callbacks, and may be killed at any moment of that."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from coxswain.api.deliveries import DeliveryState
from coxswain.store import deliveries, outbox
from coxswain.store.pool import Store
from devtools import children
from tests.support import ended, web_door
from tests.support.postgres import Database
from tests.support.receiver import Hang, Receiver

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


async def owed(store: Store, url: str) -> UUID:
    one = ended.delivery(url=url)
    await store.transact(deliveries.owe, [one])
    return one.id


async def delivered(store: Store, delivery: UUID) -> int:
    """How many tries it took."""
    async with asyncio.timeout(20):
        while True:
            found = await store.run(outbox.get, "team", delivery)
            assert found is not None
            if found.state is DeliveryState.DELIVERED:
                return found.tries
            await asyncio.sleep(0.02)


async def test_the_process_of_the_web_door_sends_callbacks_too(
    database: Database, operator_store: Store
) -> None:
    async with Receiver() as receiver:
        origin = f"http://listed.example:{receiver.port}"
        running = web_door.running(
            database,
            callbacks_allowed_domains=["listed.example"],
            callbacks_origins=[origin],
            callbacks_signing=False,
        )
        async with running:
            one = await owed(operator_store, f"{origin}/hook")
            assert await delivered(operator_store, one) == 1


@asynccontextmanager
async def process(
    database: Database, origin: str, folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A gateway as it is started in a pod; its API server does not answer."""
    kubeconfig = folder / "kubeconfig"
    await asyncio.to_thread(kubeconfig.write_text, KUBECONFIG)
    wanted = {
        "database_dsn": database.gateway,
        "bind": "127.0.0.1",
        "port": children.free_port(),
        "health_port": children.free_port(),
        "kubeconfig": kubeconfig,
        "installation": "test",
        "mode": "dev",
        "callbacks_allowed_domains": json.dumps(["localhost"]),
        "callbacks_origins": json.dumps([origin]),
        "callbacks_signing": "false",
    }
    environment = {f"COXSWAIN_{name.upper()}": str(value) for name, value in wanted.items()}
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "coxswain", "egress", env={**os.environ, **environment}
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def test_a_process_that_is_killed_in_the_middle_of_a_delivery_leads_to_a_repeat(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with Receiver() as receiver:
        receiver.will(Hang())
        origin = f"http://localhost:{receiver.port}"
        one = await owed(operator_store, f"{origin}/hook")
        async with process(database, origin, tmp_path) as first:
            await receiver.has(1)
            first.kill()
            await first.wait()
        await lapse(database)
        async with process(database, origin, tmp_path) as second:
            assert await delivered(operator_store, one) == 2
            second.terminate()
            async with asyncio.timeout(20):
                assert await second.wait() == 0
        assert receiver.ids == [str(one)] * 2


async def test_it_refuses_to_start_with_an_origin_that_is_none(
    database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with process(database, "http://localhost:99999", tmp_path) as started:
        assert await started.wait() == 78
    assert "'http://localhost:99999' is no origin" in capfd.readouterr().err


async def lapse(database: Database) -> None:
    """Time goes by, for the database, until every claim has run out."""
    connection = await asyncpg.connect(database.admin)
    await connection.execute("UPDATE deliveries SET due_at = now() WHERE state = 'Pending'")
    await connection.close()
