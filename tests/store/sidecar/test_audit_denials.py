"""Where somebody was refused, and what for, is in the audit log; of what is no name nothing is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from yarl import URL

from coxswain.api.audit import AuditEntry, Object, Outcome
from coxswain.store import audit
from coxswain.store.audit import Query
from coxswain.store.pool import Store
from tests.support import sidecar_api
from tests.support.postgres import Database
from tests.support.sidecar_api import Api


@pytest_asyncio.fixture
async def api(database: Database, operator_store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    """The API of an installation with two workspaces."""
    onboarded = ["team", "other"]
    async with sidecar_api.running(
        database, operator_store, tmp_path, onboarded_workspaces=onboarded
    ) as started:
        yield started


async def denials(api: Api) -> list[AuditEntry]:
    """The rows, oldest first."""
    page = await api.operator.run(audit.page, Query(outcome=Outcome.DENIED))
    return [row.entry for row in reversed(page.rows)]


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/v1/workspaces/other/jobs/nightly", Object("Job", "nightly")),
        ("POST", "/v1/workspaces/other/leases/deploy/reclaim", Object("Lease", "deploy")),
        ("GET", "/v1/workspaces/other/jobs", Object("Job")),
    ],
)
async def test_a_denial_by_a_right_stands_in_its_workspace_with_its_object(
    api: Api, method: str, path: str, wanted: Object
) -> None:
    headers = await api.key(workspaces=["team"])
    async with api.anybody.request(method, path, headers=headers) as answer:
        assert answer.status == 403
    (denied,) = await denials(api)
    assert (denied.workspace, denied.object) == ("other", wanted)
    assert (denied.actor.kind, denied.details) == ("key", {"code": "not_permitted"})


async def test_a_denial_in_no_workspace_has_what_was_asked_for_alone(api: Api) -> None:
    headers = await api.key("Read")
    async with api.anybody.get("/v1/keys", headers=headers) as answer:
        assert answer.status == 403
    (denied,) = await denials(api)
    assert (denied.workspace, denied.object) == ("", Object("ApiKey"))


async def test_nobody_gives_a_workspace_a_chain_by_asking_for_it(api: Api) -> None:
    headers = await api.key(workspaces=["team"])
    _, _, pod = await api.claimed()
    for known in (headers, pod):
        async with api.anybody.get("/v1/workspaces/made-up/jobs/a", headers=known) as answer:
            assert answer.status == 403
    found = await denials(api)
    assert [each.workspace for each in found] == ["", "team"]
    assert [each.details["workspace"] for each in found] == ["made-up"] * 2


async def test_an_agent_at_a_door_of_people_is_denied_where_it_knocked(api: Api) -> None:
    _, _, headers = await api.claimed()
    path = "/v1/workspaces/other/jobs/nightly"
    async with api.anybody.get(path, headers=headers) as answer:
        assert answer.status == 403
    (denied,) = await denials(api)
    assert (denied.workspace, denied.object) == ("other", Object("Job", "nightly"))


@pytest.mark.parametrize("name", ["Team", "a.b", "a" * 64, "a%00", "..%2Fteam", "%F0%9F%98%80"])
async def test_a_workspace_that_no_namespace_is_called_is_refused_before_any_right_is_asked(
    api: Api, name: str
) -> None:
    path = URL(f"/v1/workspaces/{name}/jobs", encoded=True)
    for headers in (await api.key(workspaces=["team"]), {}):
        session = api.anybody if headers else api.user
        async with session.get(path, headers=headers) as answer:
            problem = await answer.json()
        assert (answer.status, problem["field"]) == (422, "path.workspace")
    assert await denials(api) == []
