"""Calls of tools that people have to agree to, by the real program and the real model gateway."""

import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from coxswain.api.agent import Tool
from coxswain.api.contract import CallAnswer
from tests.store.agent.test_prompt import real
from tests.support import provider
from tests.support.agents import AgentTask
from tests.support.model_gateway import ModelGateway
from tests.support.platform_door import RUN, FakePlatform
from tests.support.provider import CallTool, Say
from tests.support.waiting import until

HASH = "a" * 64
WRITE = CallTool("write_file", {"path": "proof", "content": "ü"})


def word(state: str, seconds: float = 30.0) -> CallAnswer:
    return CallAnswer(state=state, message=f"said {state}", hash=HASH, seconds_left=seconds)


def asks(server: provider.Provider, *words: CallAnswer, **fields: Any) -> Any:
    platform, models = real(server, **({"ask": [Tool.WRITE_FILE]} | fields))
    platform.words.extend(words)
    return platform, models


def agent(folder: Path, platform: FakePlatform, models: ModelGateway, **extra: float) -> AgentTask:
    quick = {"agreement_seconds": 0.01, **extra}
    return AgentTask(folder, platform.url, models.url, RUN, quick)


def results(platform: FakePlatform) -> list[tuple[str, str]]:
    found = [event.details for event in platform.events if event.type == "run.tool_result"]
    return [(each["outcome"], each["text"]) for each in found]


async def test_a_call_is_made_once_people_have_agreed_and_the_run_lives_meanwhile(
    tmp_path: Path,
) -> None:
    async with provider.Provider() as server:
        server.will(WRITE, Say("done"))
        platform, models = asks(server)
        platform.words.extend([word("ApprovalPending")] * 200)
        async with platform, models.serving():
            process = agent(tmp_path, platform, models)
            process.start()
            await until(lambda: len(platform.asked) > 3)
            beats = platform.heartbeats
            await until(lambda: platform.heartbeats > beats + 2)
            assert not (process.workspace / "proof").exists()
            assert platform.acts == []
            platform.words = deque([word("Approved")])
            code = await process.wait()
    assert code == 0
    assert (process.workspace / "proof").read_text() == "ü"
    assert results(platform) == [("ok", "2 bytes written to proof")]
    assert platform.acts[0] == ("write_file", "begin")


async def test_people_are_shown_the_whole_call(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(WRITE, Say("done"))
        platform, models = asks(server, word("Approved"))
        async with platform, models.serving():
            await agent(tmp_path, platform, models).finish()
    (asked,) = platform.asked
    assert asked.tool == "write_file"
    assert json.loads(asked.arguments) == WRITE.arguments


@pytest.mark.parametrize(
    "state", ["ApprovalDenied", "ApprovalTimeout", "ApprovalImpossible", "ApprovalOfTomorrow"]
)
async def test_a_call_that_is_not_agreed_to_is_refused_and_the_run_goes_on(
    tmp_path: Path, state: str
) -> None:
    async with provider.Provider() as server:
        server.will(WRITE, Say("then not"))
        platform, models = asks(server, word("ApprovalPending"), word(state))
        async with platform, models.serving():
            process = agent(tmp_path, platform, models)
            code = await process.finish()
        told = [m["content"] for m in server.requests[-1]["messages"] if m["role"] == "tool"]
    assert code == 0
    assert not (process.workspace / "proof").exists()
    ((outcome, text),) = results(platform)
    assert (outcome, text) == ("error", f"write_file was not called: said {state} ({state})")
    assert text in told[0]
    assert platform.acts == []


async def test_tools_that_are_not_named_are_called_at_once(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(CallTool("list_files", {}), Say("done"))
        platform, models = asks(server)
        async with platform, models.serving():
            await agent(tmp_path, platform, models).finish()
    assert platform.asked == []
    assert [outcome for outcome, _ in results(platform)] == ["ok"]


async def test_an_answer_is_found_when_the_platform_is_back(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(WRITE, Say("done"))
        platform, models = asks(server, word("ApprovalPending"), word("Approved"))
        # After the first look nobody answers for a while.
        platform.faults["approvals"] = deque()
        async with platform, models.serving():
            process = agent(tmp_path, platform, models, agreement_seconds=0.2)
            process.start()
            await until(lambda: len(platform.asked) == 1)
            platform.faults["approvals"].extend([503, 503])
            code = await process.wait()
    assert code == 0
    assert platform.faults["approvals"] == deque()
    assert (process.workspace / "proof").exists()


@pytest.mark.parametrize("status", [503, 422])
async def test_a_call_that_nobody_could_be_asked_about_is_not_made(
    tmp_path: Path, status: int
) -> None:
    async with provider.Provider() as server:
        server.will(WRITE, Say("then not"))
        platform, models = asks(server)
        platform.faults["approvals"] = deque([status] * 9)
        async with platform, models.serving():
            process = agent(tmp_path, platform, models, platform_wait_seconds=0.3)
            code = await process.finish()
    assert code == 0
    assert not (process.workspace / "proof").exists()
    assert [outcome for outcome, _ in results(platform)] == ["error"]


async def test_what_is_too_long_to_be_shown_is_not_asked_about(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(CallTool("write_file", {"path": "proof", "content": "x" * 70_000}), Say("so"))
        platform, models = asks(server, word("Approved"))
        async with platform, models.serving():
            process = agent(tmp_path, platform, models)
            await process.finish()
    assert platform.asked == []
    assert not (process.workspace / "proof").exists()
    assert "make several smaller calls" in results(platform)[0][1]


async def test_a_run_that_is_cancelled_while_it_waits_has_called_nothing(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(WRITE)
        platform, models = asks(server)
        platform.words.extend([word("ApprovalPending")] * 5000)
        async with platform, models.serving():
            process = agent(tmp_path, platform, models)
            process.start()
            await until(lambda: len(platform.asked) > 1)
            platform.cancel = True
            await process.wait()
    assert platform.result is not None
    assert platform.result.reason == "Cancelled"
    assert platform.acts == []
    assert not (process.workspace / "proof").exists()
