"""The channel gateway as a process of its own, which may be killed at any moment."""

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from coxswain.gateway.channels import polling
from coxswain.store import frozen, mirror, triggers
from coxswain.store.pool import Store
from tests.support import channels, rows
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


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Of an API server that does not answer."""
    file = tmp_path / "kubeconfig"
    file.write_text(KUBECONFIG)
    return file


async def test_a_process_that_is_killed_in_a_look_leaves_it_to_another_and_the_change_fires_once(
    database: Database, operator_store: Store, kubeconfig: Path
) -> None:
    async with Receiver() as page:
        page.will(Say(body=b"a"), Hang())
        page.always(Say(body=b"b"))
        origin, uid = f"http://localhost:{page.port}", str(uuid4())
        settings = {"polls_allowed_domains": ["localhost"], "polls_origins": [origin]}
        poll = {"url": f"{origin}/", "intervalSeconds": 10}
        row = rows.job("watch", uid=uid, kind="Schedule", spec={"poll": poll})
        await operator_store.transact(mirror.write, [row], [])
        async with channels.started(database, kubeconfig, **settings) as first:
            await page.has(1)
            await _settled(database)
            await _due(database)
            await page.has(2)
            await first.kill()
        assert (await operator_store.run(triggers.open_of, [uid]))[uid] == ()
        await _due(database)
        async with channels.started(database, kubeconfig, **settings) as second:
            await page.has(3)
            await _settled(database)
            second.process.terminate()
            async with asyncio.timeout(20):
                assert await second.process.wait() == 0
        assert len((await operator_store.run(triggers.open_of, [uid]))[uid]) == 1


async def test_it_is_ready_while_the_api_server_is_away_and_says_so(
    database: Database, kubeconfig: Path
) -> None:
    async with channels.started(database, kubeconfig) as gateway:
        said = await gateway.is_ready()
    assert (said["status"], said["ready"]) == (200, True)
    assert "kubernetes" in said["broken"]


async def test_it_looks_for_sessions_of_a_frozen_replica_like_every_gateway(
    database: Database,
) -> None:
    async with channels.running(database):
        work = {getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks()}
    assert frozen.run.__code__ in work


async def test_it_drops_what_was_handled_a_day_ago_in_one_go_however_much_that_is(
    database: Database,
) -> None:
    await rows.triggers(database.admin, str(uuid4()), 2 * triggers.AT_ONCE + 1)
    connection = await asyncpg.connect(database.admin)
    await connection.execute("UPDATE triggers SET handled_at = now() - interval '25 hours'")
    async with channels.running(database), asyncio.timeout(polling.TIDY_SECONDS / 2):
        while await connection.fetchval("SELECT EXISTS (SELECT FROM triggers)"):  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.02)
    await connection.close()


async def test_it_refuses_to_start_with_an_origin_that_is_none(
    database: Database, kubeconfig: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = {"polls_allowed_domains": ["localhost"], "polls_origins": ["http://localhost:99999"]}
    async with channels.started(database, kubeconfig, **wrong) as gateway:
        assert await gateway.process.wait() == 78
    assert "'http://localhost:99999' is no origin" in capfd.readouterr().err


async def _settled(database: Database) -> None:
    connection = await asyncpg.connect(database.admin)
    statement = "SELECT bool_and(claim IS NULL AND digest <> '') FROM polls"
    async with asyncio.timeout(20):
        while not await connection.fetchval(statement):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)
    await connection.close()


async def _due(database: Database) -> None:
    """Time goes by, for the database, until every page is due."""
    connection = await asyncpg.connect(database.admin)
    await connection.execute("UPDATE polls SET due_at = now()")
    await connection.close()
