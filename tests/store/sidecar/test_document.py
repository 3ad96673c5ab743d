"""What the API's own document promises, tried with requests that are made at random from it.

They go over real sockets to the real application on a real Postgres. None may find a server error, a status,
content type, header or body that the document does not name.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from coxswain.api.approval import CallApproval
from coxswain.store import deliveries
from coxswain.store.pool import Store
from tests.support import ended, sidecar_api
from tests.support.leases import Leases
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

# More: COXSWAIN_EXAMPLES=200 hack/test store -- -k document
EXAMPLES = int(os.environ.get("COXSWAIN_EXAMPLES", "3"))
FEW = 1
PATHS = "/apis/coxswain.dev/v1alpha1/namespaces/team"
WORK = {"agentRef": {"name": "reader"}, "title": "x", "prompt": "y"}
CALL = {"tool": "run_command", "arguments": "{}"}
OTHER = {"application/json": {"schema": {"type": "object", "required": ["nothing"]}}}
RATES = {"requests_at_once": 1_000_000, "agent_requests_at_once": 1_000_000}


@dataclass(frozen=True)
class World:
    """The API with one of each thing, and what leads to them."""

    api: Api
    document: dict[str, Any]
    known: dict[str, str]
    pod: dict[str, str]

    async def probed(self, headers: dict[str, dict[str, str]], examples: int) -> dict[str, Any]:
        """What came of requests made from the document, as these principals."""
        asked = {
            "url": self.api.url,
            "document": self.document,
            "headers": headers,
            "known": self.known,
            "examples": examples,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.prober",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate(json.dumps(asked).encode())
        assert process.returncode == 0
        found: dict[str, Any] = json.loads(out)
        return found


@pytest_asyncio.fixture
async def world(database: Database, operator_store: Store, tmp_path: Path) -> AsyncIterator[World]:
    async with sidecar_api.running(database, operator_store, tmp_path, **RATES) as api:
        yield await _furnished(api)


async def _furnished(api: Api) -> World:
    made = await api.cluster.create(f"{PATHS}/jobs", _object("Job", WORK))
    uid = made["metadata"]["uid"]
    made["status"] = {"phase": "Succeeded", "attempt": 1}
    await api.mirrored("first", uid=uid, phase="Succeeded", spec=WORK)
    await api.mirrored("first", kind="Agent", phase="Ready")
    interval = {"interval": {"seconds": 60}, "jobTemplate": {"spec": WORK}}
    await api.cluster.create(f"{PATHS}/schedules", _object("Schedule", interval))
    await Leases(api.operator, api.operator).has("first")
    owed = replace(ended.delivery("first"), job_uid=uid)
    await api.operator.transact(deliveries.owe, [owed])
    agreed = CallApproval.model_validate({"approvers": ["local"]})
    _, _, pod = await api.claimed(
        job_uid=uid, document={"approvals": agreed, "grants": ["workspace.report"]}
    )
    key, _ = await api.made_key()
    async with api.anybody.post("/v1/run/approvals", json=CALL, headers=pod) as answer:
        asked = await answer.json()
        assert answer.status == 200, asked
    file = api.anybody.put("/v1/run/artifacts/first.txt", data=b"whole", headers=pod)
    async with file as answer:
        assert answer.status == 204
    result = {"status": "succeeded", "answer": "six", "artifacts": ["first.txt"]}
    async with api.anybody.post("/v1/run/result", json=result, headers=pod) as answer:
        assert answer.status == 204
    async with api.user.get("/v1/openapi.json") as answer:
        document = await answer.json()
    known = {
        "workspace": "team",
        "name": "first",
        "artifact": "first.txt",
        "hash": asked["hash"],
        "delivery": str(owed.id),
        "key": key,
    }
    return World(api, document, known, pod)


def _object(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "coxswain.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "first", "annotations": {}},
        "spec": spec,
    }


async def test_the_right_caller_finds_no_answer_that_the_document_does_not_name(
    world: World,
) -> None:
    found = await world.probed({"person": dict(world.api.user.headers), "pod": world.pod}, EXAMPLES)
    print(f"requests by status: {found['statuses']}; {found['seconds']} s of CPU to make them")
    assert found["wrong"] == {}
    assert sum(count for status, count in found["statuses"].items() if status.startswith("2")) > 100
    assert sum(count for status, count in found["statuses"].items() if status == "422") > 100


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"422": {"description": "no"}}, "Undocumented"),
        ({"2XX": {"description": "yes", "content": {"text/plain": {}}}}, "text/plain"),
        ({"200": {"description": "yes", "content": OTHER}}, "'nothing' is a required property"),
    ],
    ids=["status", "content type", "body"],
)
async def test_an_answer_that_the_document_does_not_name_is_found(
    world: World, answers: dict[str, Any], said: str
) -> None:
    path = "/v1/workspaces/{workspace}/jobs/{name}"
    operation = {**world.document["paths"][path]["get"], "responses": answers}
    lacking = {**world.document, "paths": {path: {"get": operation}}}
    headers = {"person": dict(world.api.user.headers)}
    found = await replace(world, document=lacking).probed(headers, FEW)
    assert said in "".join(found["wrong"]).replace('"', "'")


async def test_nobody_finds_anything_but_401(world: World) -> None:
    found = await world.probed({}, FEW)
    assert found["wrong"] == {}
    assert set(found["statuses"]) == {"401"}


async def test_the_page_shows_every_route_and_its_every_link_leads_to_this_server(
    world: World,
) -> None:
    async with world.api.user.get("/docs") as answer:
        page = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
    for path, operations in world.document["paths"].items():
        for method in operations:
            assert f"<code>{method.upper()} {path}</code>" in page
    for tag in ("<script", "<link", "<img", "<iframe", " src=", "@import"):
        assert tag not in page
    links = set(re.findall(r"href='([^']*)'", page))
    assert {each for each in links if not each.startswith("#")} == {"/v1/openapi.json"}
    assert {each[1:] for each in links if each.startswith("#")} <= set(
        re.findall(r"id='([^']*)'", page)
    )
