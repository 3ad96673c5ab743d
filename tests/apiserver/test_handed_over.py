"""The API with the account that the operator hands over: the chart's rights, and a token of one hour."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest_asyncio

from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools import patience
from devtools.controlplane import ControlPlane
from tests.support import builders, leader, sidecar_process
from tests.support.leader import HOME, NAME, Installation
from tests.support.postgres import Database
from tests.support.workspace import Workspace

ACCOUNT = f"{NAME}-sidecar"
COUNT = {"inputSchema": {"required": ["n"]}, "command": ["true"]}
JOB = {"agentRef": {"name": "a"}, "title": "Read", "command": ["true"]}


@pytest_asyncio.fixture
async def account(
    client: Client, installation: Installation, database: Database, tmp_path: Path
) -> Path:
    """A folder with what an operator has left there. It runs no more: the API knows nothing by it."""
    where = paths.collection("serviceaccounts", HOME)
    await leader.make(client, where, {"metadata": {"name": ACCOUNT}})
    folder = tmp_path / "account"
    folder.mkdir()
    given: dict[str, Any] = {"sidecar_account": ACCOUNT, "sidecar_account_folder": folder}
    with installation.operator(database, tmp_path, **given):
        token = folder / "token"
        await asyncio.to_thread(patience.until, lambda: "" if token.exists() else "a token", 30)
    return folder


@pytest_asyncio.fixture
async def user(
    account: Path, plane: ControlPlane, database: Database, tmp_path: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    """A person at the API, which is a process of its own."""
    address = urlsplit(plane.url)
    where = {
        "COXSWAIN_ACCOUNT_FOLDER": str(account),
        "KUBERNETES_SERVICE_HOST": str(address.hostname),
        "KUBERNETES_SERVICE_PORT": str(address.port),
    }
    known = {"Authorization": f"Bearer {sidecar_process.TOKEN}"}
    async with (
        sidecar_process.started(database.sidecar, tmp_path, **where) as sidecar,
        aiohttp.ClientSession(sidecar.url, headers=known) as session,
    ):
        yield session


async def test_each_question_that_the_records_cannot_answer_is_asked_and_each_object_made(
    user: aiohttp.ClientSession, workspace: Workspace
) -> None:
    await workspace.apply(builders.agent("a"))
    root = f"/v1/workspaces/{workspace.namespace}"

    async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with user.request(method, f"{root}/{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def makes(plural: str, spec: dict[str, Any]) -> int:
        return (await ask("POST", plural, {"metadata": {"name": "x"}, "spec": spec}))[0]

    assert (await ask("GET", "agents/a"))[0] == 200
    assert (await ask("POST", "job-types", {"name": "count", "spec": COUNT}))[0] == 201
    assert (await ask("PATCH", "job-types/count", {"enabled": False}))[0] == 200
    _, types = await ask("GET", "job-types")
    assert "count" in [each["name"] for each in types["items"]]
    assert await makes("jobs", JOB) == 201
    assert (await ask("POST", "jobs/x/cancel", {}))[0] == 202
    assert await makes("schedules", builders.schedule("x", "a").spec) == 201
    assert (await ask("GET", "schedules/x"))[0] == 200
    assert (await ask("POST", "schedules/x/suspend", {}))[0] == 202
    assert await makes("leases", builders.lease("x").spec) == 201
    # Whether it is there is asked; who has it the records will say, once the operator has looked.
    status, said = await ask("POST", "leases/x/acquire", {})
    assert (status, said["code"]) == (503, "lease_unconfirmed")
