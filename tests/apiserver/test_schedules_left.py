"""A Schedule is deleted while ticks of it are open: a sweep of whoever leads settles them."""

import asyncio
from typing import Any

import asyncpg
import pytest

from coxswain.api.kind import Schedule
from coxswain.kube import paths
from coxswain.store import ticks
from tests.support import builders
from tests.support.leader import Operator
from tests.support.postgres import Database
from tests.support.workspace import Ledger, Workspace

LOOK_SECONDS = 0.1
WAITING_SECONDS = LEFT_SECONDS = 30


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, Any]:
    return {"sweep_seconds": 2}


async def _has_waiting_ticks(workspace: Workspace) -> str:
    """The uid of a Schedule whose first tick has a Job, and at least two more wait."""
    made = builders.schedule("s", "a").every(1).with_spec(overlap="BufferAll")
    uid = str((await workspace.apply(made))["metadata"]["uid"])
    path = paths.of("schedules", workspace.namespace, "s")
    async with asyncio.timeout(WAITING_SECONDS):
        while Schedule.parse(await workspace.client.get(path)).status.waiting < 2:  # noqa: ASYNC110 - the operator counts
            await asyncio.sleep(LOOK_SECONDS)
    return uid


async def _is_gone_for_long(database: Database, uid: str) -> None:
    """The records know since two minutes that it is gone: its ticks are settled after one."""
    connection = await asyncpg.connect(database.admin)
    done = await connection.execute(
        "UPDATE mirror SET deleted_at = deleted_at - interval '2 minutes'"
        " WHERE uid = $1 AND deleted_at IS NOT NULL",
        uid,
    )
    await connection.close()
    assert done == "UPDATE 1"


async def test_a_deleted_schedule_leaves_its_ticks(
    operator: Operator, workspace: Workspace, ledger: Ledger, module_database: Database
) -> None:
    uid = await _has_waiting_ticks(workspace)
    await workspace.delete("schedules", "s")
    await ledger.until(uid, "schedule.deleted")
    found = await ledger.store.run(ticks.page, uid, None, limit=1000)
    assert any(row.outcome is None for row in found)
    await _is_gone_for_long(module_database, uid)
    async with asyncio.timeout(LEFT_SECONDS):
        while any(row.outcome is None for row in found):
            await asyncio.sleep(LOOK_SECONDS)
            found = await ledger.store.run(ticks.page, uid, None, limit=1000)
    assert found[-1].outcome == "Fired"
    assert {row.reason for row in found if row.outcome == "Missed"} == {"Deleted"}
