"""A command's time-out: what a call may ask for, and what holds where it asks for nothing."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from coxswain.api.agent import Limits, Provider, Tool
from coxswain.api.contract import ModelRoute
from tests.support import provider
from tests.support.agents import AgentTask
from tests.support.builders import agent, job, run_document
from tests.support.model_gateway import ModelGateway
from tests.support.platform_door import RUN, FakePlatform, document
from tests.support.provider import CallTool, Say


async def told(folder: Path, limits: Limits, *calls: CallTool) -> tuple[FakePlatform, list[str]]:
    """What a model that makes these calls is told, one after the other."""
    async with provider.Provider() as server:
        server.will(*calls, Say("done"))
        route = ModelRoute(
            alias="main", provider=Provider.OPENAI, model="m", base_url=f"{server.url}/v1"
        )
        run = document(models=[route], tools=list(Tool), prompt="Do it.", limits=limits)
        platform, models = FakePlatform(run), ModelGateway(run, listed=[f"{server.url}/v1"])
        async with platform, models.serving():
            assert await AgentTask(folder, platform.url, models.url, RUN).finish() == 0
        messages = server.requests[-1]["messages"]
        return platform, [each["content"] for each in messages if each["role"] == "tool"]


def command(line: str, seconds: int | None = None) -> CallTool:
    asked = {} if seconds is None else {"timeout_seconds": seconds}
    return CallTool("run_command", {"command": line, **asked})


async def test_300_seconds_are_accepted_and_301_are_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    calls = command("echo first", 300), command("echo second", 301), command("echo third", 0)
    platform, answers = await told(tmp_path, Limits(), *calls)
    assert answers[0].startswith("exit code 0")
    assert "timeout_seconds is 301; it must be from 1 to 300" in answers[1]
    assert "from 1 to 300" in answers[2]
    assert platform.output("stdout") == "first\n"
    assert [name for name, phase in platform.acts if phase == "begin"] == ["run_command"]


async def test_a_call_that_says_nothing_has_the_time_of_its_agent(tmp_path: Path) -> None:
    limits = Limits(command_timeout_seconds=1)
    _, answers = await told(tmp_path, limits, command("sleep 60"))
    assert answers[0].startswith("killed after 1 seconds")


def test_an_agent_that_says_nothing_gives_30_seconds() -> None:
    run = run_document(agent().parsed, job().parsed)
    assert run.limits.command_timeout_seconds == 30


def test_an_agent_may_give_300_seconds_and_no_more() -> None:
    assert Limits(command_timeout_seconds=300).command_timeout_seconds == 300
    with pytest.raises(ValidationError, match="less than or equal to 300"):
        Limits(command_timeout_seconds=301)
