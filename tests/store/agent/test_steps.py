"""Jobs of several steps, by the real program against a platform in this process."""

import base64
from pathlib import Path
from typing import Any

import pytest

from coxswain.api.agent import Limits, Provider, Tool
from coxswain.api.contract import ModelRoute, ResultStatus
from coxswain.api.step import Step
from tests.support import provider
from tests.support.agents import AgentTask
from tests.support.model_gateway import ModelGateway
from tests.support.platform_door import RUN, FakePlatform, document
from tests.support.provider import CallTool, Say
from tests.support.waiting import until

NOWHERE = "http://127.0.0.1:9"
SECRET = "/api/v1/namespaces/team/secrets/key"


def sh(name: str, script: str, *after: str, ignoring: bool = False) -> dict[str, Any]:
    rule = "Ignore" if ignoring else "Skip"
    edges = [{"name": each, "onFailure": rule} for each in after]
    return {"name": name, "command": ["sh", "-c", script], "dependsOn": edges}


def job(*steps: dict[str, Any], **fields: Any) -> FakePlatform:
    return FakePlatform(document(steps=[Step.model_validate(each) for each in steps], **fields))


def agent(folder: Path, platform: FakePlatform) -> AgentTask:
    return AgentTask(folder, platform.url, NOWHERE, RUN)


def told(platform: FakePlatform) -> list[str]:
    """The events of the steps, in short."""
    prefix = "run.step."
    return [
        f"{event.details['step']} {event.type.removeprefix(prefix)}"
        for event in platform.events
        if event.type.startswith(prefix)
    ]


async def test_steps_run_one_after_the_other_in_one_folder(tmp_path: Path) -> None:
    async with job(sh("one", "echo 1 > file"), sh("two", "cat file; echo 2")) as platform:
        code = await agent(tmp_path, platform).finish()
    assert code == 0
    assert told(platform) == ["one started", "one succeeded", "two started", "two succeeded"]
    assert platform.result is not None
    assert (platform.result.status, platform.result.answer) == (ResultStatus.SUCCEEDED, "1\n2\n")
    details = [event.details for event in platform.events if event.type == "run.step.started"]
    assert [(each["number"], each["of"]) for each in details] == [(1, 2), (2, 2)]


async def test_what_a_step_came_to_stands_in_files_for_those_after_it(tmp_path: Path) -> None:
    last = sh("last", "cat .steps/one/outcome .steps/one/answer .steps/two/outcome", "one")
    async with job(sh("one", "echo hello"), sh("two", "exit 1"), last) as platform:
        await agent(tmp_path, platform).finish()
    assert platform.result is not None
    assert platform.result.answer == "succeeded\nhello\nfailed\n"


async def test_a_failure_skips_those_that_stand_on_it_and_no_others(tmp_path: Path) -> None:
    steps = [
        sh("a", "echo why >&2; exit 3"),
        sh("b", "touch proof", "a"),
        sh("c", "touch proof", "b"),
        sh("d", "cat .steps/a/outcome .steps/c/outcome", "a", "c", ignoring=True),
        sh("e", "echo e"),
    ]
    async with job(*steps) as platform:
        process = agent(tmp_path, platform)
        code = await process.finish()
    assert code == 1
    assert told(platform) == [
        *("a started", "a failed", "b skipped", "c skipped"),
        *("d started", "d succeeded", "e started", "e succeeded"),
    ]
    assert not (process.workspace / "proof").exists()
    because = [e.details["because"] for e in platform.events if e.type == "run.step.skipped"]
    assert because == ["a", "b"]
    assert platform.output("stdout") == "failed\nskipped\ne\n"
    result = platform.result
    assert result is not None
    assert (result.status, result.reason, result.exit_code) == (ResultStatus.FAILED, "ExitCode", 3)
    assert result.message == "step a: exit code 3: why; skipped: b, c"
    assert result.transient


async def test_programs_of_steps_are_one_act_that_only_the_result_ends(tmp_path: Path) -> None:
    async with job(sh("one", "true"), sh("two", "true")) as platform:
        await agent(tmp_path, platform).finish()
    begun = [name for name, phase in platform.acts if phase == "begin"]
    ended = [name for name, phase in platform.acts if phase == "end"]
    assert begun == ["the steps so far", "step one", "step two"]
    assert sorted(ended) == ["step one", "step two"]


async def test_a_step_that_is_cut_off_leaves_its_acts_open(tmp_path: Path) -> None:
    async with job(sh("one", "true"), sh("two", "echo ready; sleep 60")) as platform:
        process = agent(tmp_path, platform)
        process.start()
        await until(lambda: "ready" in platform.output("stdout"))
        process.terminate()
        await process.wait()
    assert told(platform) == ["one started", "one succeeded", "two started"]
    assert platform.result is not None
    assert platform.result.reason == "Terminated"
    open_acts = {name for name, phase in platform.acts if phase == "begin"} - {
        name for name, phase in platform.acts if phase == "end"
    }
    assert open_acts == {"the steps so far", "step two"}


async def test_a_program_that_is_not_there_fails_its_step(tmp_path: Path) -> None:
    absent = {"name": "one", "command": ["no-such-program"], "dependsOn": []}
    async with job(absent, sh("two", "echo 2")) as platform:
        code = await agent(tmp_path, platform).finish()
    assert code == 1
    assert told(platform) == ["one started", "one failed", "two started", "two succeeded"]
    assert platform.result is not None
    assert (platform.result.reason, platform.result.transient) == ("CommandNotStarted", False)


async def test_a_home_holds_nothing_of_the_steps_of_an_earlier_run(tmp_path: Path) -> None:
    old = tmp_path / "workspace" / ".steps" / "later"
    old.mkdir(parents=True)
    (old / "answer").write_text("of yesterday")
    async with job(sh("one", "ls .steps"), sh("later", "true")) as platform:
        await agent(tmp_path, platform).finish()
    assert platform.output("stdout") == ""


async def test_a_link_in_place_of_the_folder_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / ".steps").symlink_to(outside)
    async with job(sh("one", "true")) as platform:
        code = await agent(tmp_path, platform).finish()
    assert code == 0
    assert [each.name for each in outside.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    "damage", ["rm -r .steps; ln -s /tmp .steps", "rm -r .steps; touch .steps"]
)
async def test_a_step_that_breaks_the_folder_ends_the_run(tmp_path: Path, damage: str) -> None:
    async with job(sh("one", "true"), sh("two", damage), sh("three", "true")) as platform:
        code = await agent(tmp_path, platform).finish()
    assert code == 1
    assert platform.result is not None
    assert platform.result.reason == "StepNotKept"


async def test_long_outputs_of_steps_have_names_of_their_own(tmp_path: Path) -> None:
    much = "yes 0123456 | head -c 600000"
    async with job(sh("one", much), sh("two", much)) as platform:
        await agent(tmp_path, platform).finish()
    assert sorted(platform.artifacts) == ["one.stdout", "two.stdout"]
    assert platform.result is not None
    assert platform.result.artifacts == ["one.stdout", "two.stdout"]


def asking(server: provider.Provider, *steps: dict[str, Any], **fields: Any) -> Any:
    url = f"{server.url}/v1"
    route = ModelRoute(
        alias="main", provider=Provider.OPENAI, model="m", base_url=url, secret_name="key"
    )
    data = {"apiKey": "sk-1", "baseURLs": url}
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
    platform = job(*steps, models=[route], tools=list(Tool), **fields)
    secret = {"type": "coxswain.dev/provider", "data": encoded}
    return platform, ModelGateway(platform.run, secrets={SECRET: secret}, listed=[url])


async def test_a_model_reads_what_a_program_said_and_the_next_program_what_it_answered(
    tmp_path: Path,
) -> None:
    async with provider.Provider() as server:
        server.will(CallTool("read_file", {"path": ".steps/count/answer"}), Say("it is 42"))
        platform, models = asking(
            server,
            sh("count", "echo 42"),
            {"name": "ask", "prompt": "How many?", "dependsOn": [{"name": "count"}]},
            sh("say", "cat .steps/ask/answer", "ask"),
        )
        async with platform, models.serving():
            code = await AgentTask(tmp_path, platform.url, models.url, RUN).finish()
        seen = [m["content"] for m in server.requests[-1]["messages"] if m["role"] == "tool"]
    assert code == 0
    assert seen == ["42\n"]
    assert platform.result is not None
    assert platform.result.answer == "it is 42"


async def test_the_limit_of_model_calls_is_one_for_all_steps(tmp_path: Path) -> None:
    async with provider.Provider() as server:
        server.will(CallTool("list_files", {}), Say("one"), *[CallTool("list_files", {})] * 9)
        asked: list[dict[str, Any]] = [
            {"name": name, "prompt": "Go on.", "dependsOn": []} for name in ("one", "two")
        ]
        platform, models = asking(server, *asked, limits=Limits(max_steps=3))
        async with platform, models.serving():
            await AgentTask(tmp_path, platform.url, models.url, RUN).finish()
    assert told(platform) == ["one started", "one succeeded", "two started", "two failed"]
    assert platform.result is not None
    assert platform.result.reason == "MaxSteps"
    assert len(server.requests) == 3
    # No program ran, so nothing but the tools could have been an act.
    assert platform.acts == []
