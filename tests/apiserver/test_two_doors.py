"""The HTTP API and kubectl beside each other, over one real API server and one Postgres."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from coxswain.api import lineage
from coxswain.api.conditions import ConditionType, find
from coxswain.settings import SidecarSettings
from coxswain.sidecar import process
from coxswain.sidecar.cluster import Cluster
from devtools.controlplane import ControlPlane
from tests.support import builders, chart, pods
from tests.support.kubelet import Kubelet
from tests.support.postgres import Database
from tests.support.workspace import Workspace, outcomes

pytestmark = pytest.mark.usefixtures("operator")
USER = f"system:serviceaccount:{chart.RELEASE_NAMESPACE}:coxswain-sidecar"
TOKEN = "a-local-token-of-the-tests"
KEY = {"Idempotency-Key": "order-17"}
COUNT = {"inputSchema": {"required": ["n"]}, "command": ["true"]}


@pytest_asyncio.fixture
async def user(
    plane: ControlPlane, workspace: Workspace, module_database: Database, tmp_path: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    """A person at the API, whose account has only the chart's rights."""
    token = tmp_path / "token"
    await asyncio.to_thread(token.write_text, TOKEN)
    given = SidecarSettings(
        database_dsn=SecretStr(module_database.sidecar),
        bind="127.0.0.1",
        port=0,
        health_port=0,
        installation="test",
        mode="dev",
        local_token_file=token,
    )
    kubeconfig = await asyncio.to_thread(plane.kubeconfig_for, USER)
    cluster = Cluster(kubeconfig, None)
    async with process.running(given, cluster, leave_seconds=0) as ports:
        url = f"http://127.0.0.1:{ports.api}"
        known = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(url, headers=known) as session:
            yield session
    await cluster.close()


async def ask(
    user: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    async with user.request(method, path, json=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


def new(**spec: Any) -> dict[str, Any]:
    known = {"agentRef": {"name": "a"}, "title": "Read", "command": ["true"]}
    return {"metadata": {"generateName": "j-"}, "spec": {**known, **spec}}


async def test_fifty_racing_clients_and_one_who_applies_get_one_job(
    user: aiohttp.ClientSession, workspace: Workspace
) -> None:
    await workspace.has_agent()
    jobs = f"/v1/workspaces/{workspace.namespace}/jobs"
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace) as kubelet:
        found = await asyncio.gather(*(ask(user, "POST", jobs, new(), **KEY) for _ in range(50)))
        applied = builders.job("applied", "a").with_command("true")
        await workspace.apply(applied.with_spec(idempotencyKey="order-17"))
        second = await workspace.job_ends("applied")
        name = found[0][1]["name"]
        first = await workspace.job_ends(name)
    assert sorted(status for status, _ in found) == [200] * 49 + [201]
    assert {said["id"] for _, said in found} == {first.metadata.uid}
    assert (first.status.phase, second.status.phase) == ("Succeeded", "Cancelled")
    seen = find(second.status.conditions, ConditionType.ACCEPTED)
    assert seen is not None
    assert name in seen.message
    assert len(kubelet.runs) == 1


async def test_a_deleted_job_is_not_made_again_by_its_key(
    user: aiohttp.ClientSession, workspace: Workspace
) -> None:
    await workspace.has_agent()
    jobs = f"/v1/workspaces/{workspace.namespace}/jobs"
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace):
        body = new(ttlSecondsAfterFinished=0)
        _, made = await ask(user, "POST", jobs, body, **KEY)
        await workspace.until_gone("jobs")
    status, again = await ask(user, "POST", jobs, body, **KEY)
    assert (status, again["id"], again["status"]) == (200, made["id"], "Succeeded")
    assert await workspace.all("jobs") == []


async def test_a_rerun_is_another_job_that_names_its_origin_and_runs(
    user: aiohttp.ClientSession, workspace: Workspace
) -> None:
    await workspace.has_agent()
    jobs = f"/v1/workspaces/{workspace.namespace}/jobs"
    async with Kubelet(workspace.client, pods.fails(), namespace=workspace.namespace) as kubelet:
        _, made = await ask(user, "POST", jobs, new())
        first = await workspace.job_ends(made["name"])
        kubelet.script = pods.succeeds
        status, again = await ask(user, "POST", f"{jobs}/{made['name']}/rerun", {})
        second = await workspace.job_ends(again["name"])
    assert (status, outcomes(first), outcomes(second)) == (
        201,
        ["Failed/ExitCode"],
        ["Succeeded/Completed"],
    )
    origin = lineage.read(second.metadata.annotations)
    assert origin is not None
    assert (origin.relation, origin.job, origin.uid) == ("Rerun", made["name"], first.metadata.uid)
    assert second.spec == first.spec
    assert sorted(kubelet.runs.values()) == [1, 1]


async def test_both_doors_refuse_with_the_same_words(
    user: aiohttp.ClientSession, workspace: Workspace
) -> None:
    await workspace.has_agent()
    root = f"/v1/workspaces/{workspace.namespace}"
    status, _ = await ask(user, "POST", f"{root}/job-types", {"name": "count", "spec": COUNT})
    assert status == 201
    for number, name in enumerate(("count", "none", "ai.chat.generate")):
        body = new(type=name, input={})
        del body["spec"]["command"]
        status, said = await ask(user, "POST", f"{root}/jobs", body)
        assert status == 422
        await workspace.apply(builders.job(f"j{number}", "a").of_type(name, {}))
        seen = find(
            (await workspace.job_ends(f"j{number}")).status.conditions, ConditionType.ACCEPTED
        )
        assert seen is not None
        assert seen.message == said["message"]


async def test_a_type_that_the_api_changes_counts_for_the_next_job(
    user: aiohttp.ClientSession, workspace: Workspace
) -> None:
    root = f"/v1/workspaces/{workspace.namespace}"
    body = new(type="ai.chat.generate", input={"prompt": "Hello"})
    del body["spec"]["command"]
    assert (await ask(user, "POST", f"{root}/jobs", body))[0] == 422
    change = {"enabled": True}
    assert (await ask(user, "PATCH", f"{root}/job-types/ai.chat.generate", change))[0] == 200
    status, made = await ask(user, "POST", f"{root}/jobs", body)
    assert status == 201
    assert made["spec"]["input"] == '{"prompt":"Hello"}'
    change = {"enabled": False}
    assert (await ask(user, "PATCH", f"{root}/job-types/ai.chat.generate", change))[0] == 200
    assert (await ask(user, "POST", f"{root}/jobs", body))[0] == 422
