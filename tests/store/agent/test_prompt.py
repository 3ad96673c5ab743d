"""Prompt Jobs end to end: the real program, the real door, the real model gateway."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from coxswain.api.agent import Limits, Provider, Tool
from coxswain.api.contract import ModelRoute, ProviderError, ResultStatus
from coxswain.rules import failures as of_platform
from coxswain_agent import failures
from coxswain_agent.toolbox import SHOWN_BYTES
from tests.support import provider
from tests.support.agents import AgentProcess, AgentTask
from tests.support.model_gateway import ModelGateway
from tests.support.platform_door import RUN, FakePlatform, document
from tests.support.provider import CallTool, Say
from tests.support.waiting import until

CANARY = "sk-canary-0123456789abcdef"
SECRET = "/api/v1/namespaces/team/secrets/key"
TEXT = """The lighthouse was built in 1874 on a low rock off the cape.

Its keeper, Ada Brandt, counted the ships by hand and wrote 12,406 names into her book.
The lamp burned colza oil until 1911, when it was changed for paraffin.
"""


def demo(**fields: Any) -> tuple[FakePlatform, ModelGateway]:
    route = ModelRoute(alias="main", provider=Provider.DEMO, model="demo")
    known = {"models": [route], "tools": list(Tool), "prompt": "Which oil did the lamp burn?"}
    run = document(**(known | fields))
    return FakePlatform(run), ModelGateway(run)


def real(server: provider.Provider, **fields: Any) -> tuple[FakePlatform, ModelGateway]:
    url = f"{server.url}/v1"
    route = ModelRoute(
        alias="main", provider=Provider.OPENAI, model="m", base_url=url, secret_name="key"
    )
    data = {"apiKey": CANARY, "baseURLs": url}
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
    known = {"models": [route], "tools": list(Tool), "prompt": "Do it."}
    run = document(**(known | fields))
    secret = {"type": "coxswain.dev/provider", "data": encoded}
    return FakePlatform(run), ModelGateway(run, secrets={SECRET: secret}, listed=[url])


async def finish(folder: Path, platform: FakePlatform, models: ModelGateway) -> int:
    async with platform, models.serving():
        return await AgentTask(folder, platform.url, models.url, RUN).finish()


async def test_the_demo_answers_a_question_about_a_text_in_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "lighthouse.txt").write_text(TEXT)
    platform, models = demo()
    async with platform, models.serving():
        process = AgentProcess(tmp_path, platform.url, models.url, RUN)
        code, said = await process.finish()
    assert code == 0, said
    assert platform.result is not None
    assert platform.result.answer is not None
    assert "demo" in platform.result.answer
    assert "colza oil until 1911" in platform.result.answer
    assert platform.kinds() == [
        "run.model_call",
        "run.tool_call",
        "run.tool_result",
        "run.model_call",
        "run.tool_call",
        "run.tool_result",
        "run.model_call",
        "run.answer",
    ]
    assert [row.outcome for row in models.rows] == ["ok"] * 3
    assert platform.acts == []
    # What the span of a call is made of.
    assert all(
        0 <= each.details["milliseconds"] < 30_000
        for each in platform.events
        if each.type == "run.tool_result"
    )


async def test_the_events_of_a_call_have_the_hash_of_the_whole(tmp_path: Path) -> None:
    given = {"path": "a.txt", "content": "x" * 20_000}
    async with provider.Provider() as server:
        server.will(CallTool("write_file", given), Say("done"))
        platform, models = real(server)
        assert await finish(tmp_path, platform, models) == 0
    called, result = [
        event.details for event in platform.events if event.type.startswith("run.tool_")
    ]
    whole = json.dumps(given, ensure_ascii=False)
    assert len(called["arguments"]) < len(whole)
    assert called["sha256"] == hashlib.sha256(whole.encode()).hexdigest()
    assert result["sha256"] == hashlib.sha256(result["text"].encode()).hexdigest()


async def test_tools_that_change_something_are_acts(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(
            CallTool("write_file", {"path": "notes/a.txt", "content": "hello"}),
            CallTool("run_command", {"command": "cat notes/a.txt; echo oops >&2; exit 4"}),
            Say("done"),
        )
        platform, models = real(server)
        code = await finish(tmp_path, platform, models)
    assert code == 0
    names = [("write_file", "begin"), ("run_command", "begin")]
    assert [act for act in platform.acts if act[1] == "begin"] == names
    assert sorted(platform.acts) == sorted(names + [(name, "end") for name, _ in names])
    results = [e.details["text"] for e in platform.events if e.type == "run.tool_result"]
    assert results == [
        "5 bytes written to notes/a.txt",
        "exit code 4\n--- stdout\nhello\n--- stderr\noops\n",
    ]
    assert platform.output("stdout") == "hello"
    assert (tmp_path / "workspace" / "notes" / "a.txt").read_text() == "hello"


async def test_what_a_tools_command_says_beyond_the_events_is_kept_whole(tmp_path: Path) -> None:
    much = "yes 0123456 | head -c 1200000; head -c 300000 /dev/zero >&2"
    async with provider.Provider() as server:
        server.will(
            CallTool("run_command", {"command": "echo little"}),
            CallTool("run_command", {"command": much}),
            Say("done"),
        )
        platform, models = real(server)
        code = await finish(tmp_path, platform, models)
        told = [m["content"] for m in server.requests[-1]["messages"] if m["role"] == "tool"]
    assert code == 0
    assert {name: len(kept) for name, kept in platform.artifacts.items()} == {
        "command-2-stdout": 1_200_000,
        "command-2-stderr": 300_000,
    }
    marks = [event.details for event in platform.events if event.details.get("overflow")]
    assert [(each["artifact"], each["truncated"]) for each in marks] == [
        ("command-2-stdout", False),
        ("command-2-stderr", False),
    ]
    assert f"({1_200_000 - SHOWN_BYTES} more bytes)" in told[1]


async def test_what_a_model_asks_wrongly_it_is_told_and_goes_on(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(
            CallTool("read_file", {"path": "../../etc/passwd"}),
            CallTool("run_command", {"command": "true", "timeout_seconds": 301}),
            CallTool("run_command", {"command": "sleep 60", "timeout_seconds": 1}),
            Say("done"),
        )
        platform, models = real(server)
        code = await finish(tmp_path, platform, models)
        told = [m["content"] for m in server.requests[-1]["messages"] if m["role"] == "tool"]
    assert code == 0
    assert ".." in told[0]
    assert "from 1 to 300" in told[1]
    assert told[2].startswith("killed after 1 seconds; exit code 143")
    outcomes = [e.details["outcome"] for e in platform.events if e.type == "run.tool_result"]
    assert outcomes == ["error", "error", "ok"]


@pytest.mark.parametrize(("step", "code"), provider.FAULTS, ids=str)
async def test_a_providers_failure_is_the_reason_of_the_result(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, step: provider.Step, code: str
) -> None:
    caplog.set_level(0)
    async with provider.Provider() as server:
        server.will(step)
        platform, models = real(server)
        ended = await finish(tmp_path, platform, models)
    reason = ProviderError[code].value
    assert ended == 1
    assert platform.result is not None
    assert platform.result.reason == reason
    assert platform.result.transient == of_platform.may_pass(reason)
    assert [row.outcome for row in models.rows] == [reason]
    whole = caplog.text + str(platform) + str(models.rows)
    assert "canary" not in whole
    assert len(server.requests) == 1


async def test_a_model_call_waits_for_a_gateway_that_is_away(tmp_path: Path) -> None:
    platform, models = demo()
    models.away = True
    async with platform, models.serving():
        process = AgentTask(tmp_path, platform.url, models.url, RUN)
        process.start()
        await until(lambda: platform.heartbeats > 8)
        models.away = False
        code = await process.wait()
    assert code == 0


async def test_a_run_that_never_comes_to_an_end_stops_at_its_limit(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(*[CallTool("list_files", {})] * 9)
        platform, models = real(server, limits=Limits(max_steps=2))
        code = await finish(tmp_path, platform, models)
    assert code == 1
    assert platform.result is not None
    assert platform.result.reason == "MaxSteps"
    assert len(server.requests) == 2


async def test_a_cancelled_run_ends_in_the_middle_of_a_tool(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(CallTool("run_command", {"command": "echo ready; sleep 60"}))
        platform, models = real(server)
        async with platform, models.serving():
            process = AgentTask(tmp_path, platform.url, models.url, RUN)
            process.start()
            await until(lambda: "ready" in platform.output("stdout"))
            platform.cancel = True
            code = await process.wait()
    assert code == 1
    assert platform.result is not None
    assert platform.result.reason == "Cancelled"
    assert platform.result.status is ResultStatus.FAILED


def test_the_program_calls_transient_what_the_table_of_reasons_does() -> None:
    transient = {each.code for each in of_platform.OF_PROVIDERS if each.transient}
    assert transient == failures.TRANSIENT
