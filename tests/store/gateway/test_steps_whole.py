"""Steps, and calls that wait for a person: the real agent process, API, model gateway and Postgres."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from coxswain.api.agent import Provider, Tool
from coxswain.api.approval import CallApproval
from coxswain.api.contract import ModelRoute, ResultStatus
from coxswain.api.step import Step
from coxswain.store import calls, events, mirror
from coxswain.store.calls import AskedCall
from coxswain.store.pool import Store
from tests.store.gateway.test_whole import SECRET, Cluster, Platform
from tests.support import provider, sidecar_api
from tests.support.postgres import Database
from tests.support.provider import CallTool, Say

PROOF = CallTool("run_command", {"command": "echo done > proof"})


@pytest.fixture
async def platform(
    database: Database, operator_store: Store, tmp_path: Path
) -> AsyncIterator[Platform]:
    async with AsyncExitStack() as stack:
        yield Platform(stack, database, operator_store, tmp_path, Cluster())


def step(name: str, script: str, *after: str) -> Step:
    edges = [{"name": each} for each in after]
    raw = {"name": name, "command": ["sh", "-c", script], "dependsOn": edges}
    return Step.model_validate(raw)


async def test_steps_are_done_and_told_in_their_order(platform: Platform) -> None:
    await platform.start()
    ask = Step.model_validate({"name": "ask", "prompt": "Which oil did the lamp burn?"})
    steps = [step("write", "echo hi > file"), ask, step("fail", "exit 3"), step("not", ":", "fail")]
    code, said, run = await platform.finish(prompt=None, steps=steps, tools=list(Tool))
    assert code == 1, said
    assert run.result is not None
    assert (run.result.reason, run.result.exit_code) == ("ExitCode", 3)
    assert list(run.acts_open.values()) == ["the steps so far"]
    which = events.Filter(type="run.step.", uid=run.key.job_uid)
    page = await platform.operator.run(events.after, 0, which)
    assert [(each.event.details["step"], each.event.type) for each in page.events] == [
        ("write", "run.step.started"),
        ("write", "run.step.succeeded"),
        ("ask", "run.step.started"),
        ("ask", "run.step.succeeded"),
        ("fail", "run.step.started"),
        ("fail", "run.step.failed"),
        ("not", "run.step.skipped"),
    ]


async def pending(platform: Platform) -> AskedCall:
    async with asyncio.timeout(20):
        while not (found := await platform.operator.run(calls.pending)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found[0]


async def decided(platform: Platform, word: str) -> dict[str, Any]:
    """What a person says to the call that waits, once one does; nothing was done until then."""
    asked = await pending(platform)
    assert not (platform.folder / "workspace" / "proof").exists()
    assert json.loads(asked.arguments)["command"] == "echo done > proof"
    row = sidecar_api.object_row("first", phase="Running", uid=asked.job_uid)
    await platform.operator.transact(mirror.write, [row], [])
    known = {"Authorization": f"Bearer {sidecar_api.LOCAL_TOKEN}"}
    path = f"{platform.api_url}/v1/workspaces/team/jobs/first/calls/{asked.hash}/{word}"
    async with aiohttp.ClientSession(headers=known) as person, person.post(path, json={}) as answer:
        found: dict[str, Any] = await answer.json()
        assert answer.status == 200, found
        return found


@pytest.mark.parametrize(
    ("word", "is_done", "outcome"), [("approve", True, "ok"), ("deny", False, "error")]
)
async def test_a_call_waits_for_a_person_and_is_made_with_their_word(
    platform: Platform, word: str, is_done: bool, outcome: str
) -> None:
    async with provider.Provider() as server:
        url = f"{server.url}/v1"
        data = {"apiKey": "sk-1", "baseURLs": url}
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
        platform.cluster.secrets[SECRET] = {"type": "coxswain.dev/provider", "data": encoded}
        await platform.start(url)
        server.will(PROOF, Say("that was it"))
        route = ModelRoute(
            alias="main", provider=Provider.OPENAI, model="m", base_url=url, secret_name="key"
        )
        person = asyncio.create_task(decided(platform, word))
        code, said, run = await platform.finish(
            prompt="Do it.",
            tools=list(Tool),
            ask=[Tool.RUN_COMMAND],
            approvals=CallApproval(approvers=["local"]),
            models=[route],
        )
        await person
    assert code == 0, said
    assert run.result is not None
    assert run.result.status is ResultStatus.SUCCEEDED
    assert (platform.folder / "workspace" / "proof").exists() is is_done
    page = await platform.operator.run(events.after, 0, events.Filter(uid=run.key.job_uid))
    found = [each.event for each in page.events]
    assert [each.details["outcome"] for each in found if each.type == "run.tool_result"] == [
        outcome
    ]
    kinds = [each.type for each in found if "approval" in each.type]
    said_so = "approval.given" if is_done else "approval.denied"
    assert kinds == ["run.approval.asked", said_so, "run.approval.ended"]
