"""From the wire to the Job: real gateway, real operator, real API server, each with the chart's rights."""

import asyncio

import asyncpg

from coxswain.kube import paths
from tests.support import outside
from tests.support.channels import OTHER_KEY
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation, Operator
from tests.support.outside import HOOK, SECONDS
from tests.support.postgres import Database
from tests.support.receiver import Receiver, Say
from tests.support.workspace import Workspace


async def test_a_signed_request_makes_exactly_one_job_also_when_it_is_repeated(
    operator: Operator, workspace: Workspace, installation: Installation, module_database: Database
) -> None:
    await workspace.has_agent()
    await outside.has_secret(workspace)
    uid = await outside.has_schedule(workspace, module_database, webhook=HOOK)
    async with (
        outside.gateway(installation, module_database) as started,
        Kubelet(workspace.client, namespace=workspace.namespace),
    ):
        assert await outside.post(started, workspace, "msg_0", OTHER_KEY) == 404
        repeats = [outside.post(started, workspace, "msg_1") for _ in range(5)]
        assert await asyncio.gather(*repeats) == [202] * 5
        (row,) = await outside.fired(module_database, uid, 1)
        assert (row.source, row.cause["delivery"]) == ("Webhook", "msg_1")
        await workspace.job_ends(row.job_name or "")
        # After the Job of another delivery is there, a late one of this would be too.
        assert await outside.post(started, workspace, "msg_1") == 202
        assert await outside.post(started, workspace, "msg_2") == 202
        await outside.fired(module_database, uid, 2)
    assert len(await workspace.all("jobs")) == 2


async def test_a_changed_page_makes_one_job_and_an_unchanged_one_none(
    operator: Operator, workspace: Workspace, installation: Installation, module_database: Database
) -> None:
    await workspace.has_agent()
    async with Receiver() as page:
        page.will(Say(body=b"a"), Say(body=b"a"))
        # However often it is looked at: it is due once more in the end.
        page.always(Say(body=b"b"))
        origin = f"http://localhost:{page.port}"
        poll = {"url": f"{origin}/", "intervalSeconds": 10}
        uid = await outside.has_schedule(workspace, module_database, poll=poll)
        settings = {"polls_allowed_domains": ["localhost"], "polls_origins": [origin]}
        async with outside.gateway(installation, module_database, **settings):
            for n in range(1, 5):
                await page.has(n)
                await _due(module_database)
            (row,) = await outside.fired(module_database, uid, 1)
            assert row.source == "Poll"
            async with asyncio.timeout(SECONDS):
                while not await _is_reached(workspace):  # noqa: ASYNC110 - the operator's work
                    await asyncio.sleep(0.05)
    assert len(await workspace.all("jobs")) == 1


async def _is_reached(workspace: Workspace) -> bool:
    raw = await workspace.client.get(paths.of("schedules", workspace.namespace, "s"))
    conditions = (raw.get("status") or {}).get("conditions", [])
    return any(each["type"] == "PageReached" and each["status"] == "True" for each in conditions)


async def _due(database: Database) -> None:
    """Time goes by, for the database, until every page that was looked at is due."""
    connection = await asyncpg.connect(database.admin)
    async with asyncio.timeout(SECONDS):
        while await connection.fetchval("SELECT bool_or(claim IS NOT NULL) FROM polls"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await connection.execute("UPDATE polls SET due_at = now()")
    await connection.close()
