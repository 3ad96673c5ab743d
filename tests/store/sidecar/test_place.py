"""The place of a Job that waits for a slot, as it is told when the Job is read."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from coxswain.names import LABEL_OWNER
from coxswain.store import mirror
from coxswain.store.pool import Store
from tests.support import sidecar_api
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
Body = dict[str, Any]


@pytest_asyncio.fixture
async def weighted(database: Database, operator_store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    """The API of an installation in which the workspace "heavy" counts twice."""
    weights = {"heavy": 2}
    async with sidecar_api.running(
        database, operator_store, tmp_path, workspace_weights=weights
    ) as started:
        yield started


async def _has(api: Api, name: str, age: int, **said: Any) -> None:
    """A Job that runs, or that waits since so many seconds for the cap that is said."""
    reason, phase = said.pop("reason", "InstallationQuota"), said.pop("phase", "Queued")
    spec = {"agentRef": {"name": said.pop("agent", "helm")}, "queue": said.pop("queue", "default")}
    row = sidecar_api.object_row(
        name,
        phase=phase,
        created_at=NOW - timedelta(seconds=age),
        workspace=said.pop("workspace", "team"),
        spec={**spec, "priority": said.pop("priority", 0)},
    )
    if "owner" in said:
        row.body["metadata"]["labels"] = {LABEL_OWNER: said.pop("owner")}
    status = "False" if phase == "Queued" else "True"
    row.body["status"]["conditions"] = [
        {"type": "AgentReady", "status": "True", "reason": "Ready"},
        {"type": "QuotaReserved", "status": status, "reason": reason},
    ]
    assert not said
    await api.operator.transact(mirror.write, [row], [])


async def _read(api: Api, name: str, workspace: str = "team") -> Body:
    async with api.user.get(f"/v1/workspaces/{workspace}/jobs/{name}") as answer:
        assert answer.status == 200
        found: Body = await answer.json()
        return found


async def _ahead(api: Api, name: str, workspace: str = "team") -> int:
    found = await _read(api, name, workspace)
    assert found["line"]["position"] == found["line"]["ahead"] + 1
    return int(found["line"]["ahead"])


async def test_the_place_goes_by_priority_then_age(api: Api) -> None:
    await _has(api, "older", 30)
    await _has(api, "younger", 10)
    await _has(api, "urgent", 5, priority=7)
    assert [await _ahead(api, each) for each in ("urgent", "older", "younger")] == [0, 1, 2]


async def test_the_place_goes_by_shares_of_owners_and_of_workspaces(api: Api) -> None:
    for number in range(5):
        await _has(api, f"anns-{number}", 50 - number, owner="ann")
    await _has(api, "bobs", 1, owner="bob")
    await _has(api, "single", 0, workspace="other")
    assert await _ahead(api, "single", "other") == 1
    assert await _ahead(api, "bobs") == 2
    assert await _ahead(api, "anns-4") == 6


async def test_the_place_goes_by_what_runs_and_by_weights(weighted: Api) -> None:
    for number in range(2):
        await _has(weighted, f"heavys-{number}", 10 - number, workspace="heavy")
        await _has(weighted, f"teams-{number}", 20 - number)
    await _has(weighted, "running", 99, phase="Running")
    assert await _ahead(weighted, "heavys-0", "heavy") == 0
    assert await _ahead(weighted, "heavys-1", "heavy") == 1
    assert await _ahead(weighted, "teams-0") == 2


@pytest.mark.parametrize(
    ("reason", "waits_for", "ahead"),
    [
        ("AgentQuota", "Agent", 1),
        ("QueueQuota", "Queue", 1),
        ("WorkspaceQuota", "Workspace", 2),
        ("InstallationQuota", "Installation", 3),
    ],
)
async def test_the_place_is_among_those_who_wait_for_the_same(
    api: Api, reason: str, waits_for: str, ahead: int
) -> None:
    await _has(api, "same-agent", 40, queue="nightly", owner="ann")
    await _has(api, "same-workspace", 30, agent="other", queue="nightly", owner="ann")
    await _has(api, "same-queue", 20, workspace="other", owner="ann")
    await _has(api, "it", 10, owner="ann", reason=reason)
    found = await _read(api, "it")
    assert found["line"] == {"waitsFor": waits_for, "ahead": ahead, "position": ahead + 1}


async def test_a_job_that_runs_or_waits_for_something_else_has_no_place(api: Api) -> None:
    await _has(api, "runs", 10, phase="Running")
    await _has(api, "waits", 10, reason="SomethingElse")
    await api.mirrored("new")
    for name in ("runs", "waits", "new"):
        assert "line" not in await _read(api, name)


async def test_a_move_in_the_line_is_news_to_readers_and_none_to_a_cancel(api: Api) -> None:
    await _has(api, "it", 10)
    path = "/v1/workspaces/team/jobs/it"
    async with api.user.get(path) as answer:
        tag = answer.headers["ETag"]
    async with api.user.get(path, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    await _has(api, "before", 20)
    async with api.user.get(path, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 200
        moved = answer.headers["ETag"]
    assert moved != tag
    row = await api.operator.run(mirror.get, "Job", "team", "it")
    assert row is not None
    api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/it"] = row.body
    stale = {"If-Match": '"99+1"'}
    async with api.user.post(f"{path}/cancel", headers=stale) as answer:
        assert answer.status == 412
    async with api.user.post(f"{path}/cancel", headers={"If-Match": tag}) as answer:
        assert answer.status == 202
