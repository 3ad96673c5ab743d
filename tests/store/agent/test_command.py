"""Command Jobs, by the real program against a platform in this process."""

import json
from collections import deque
from pathlib import Path
from typing import Any

from coxswain.api.contract import ARTIFACT_BYTES, ResultStatus, RunResult
from tests.support.agents import AgentTask
from tests.support.platform_door import RUN, FakePlatform, document
from tests.support.waiting import until

NOWHERE = "http://127.0.0.1:9"


def agent(folder: Path, platform: FakePlatform, **extra: float) -> AgentTask:
    return AgentTask(folder, platform.url, NOWHERE, RUN, extra)


def job(*argv: str, **fields: Any) -> FakePlatform:
    return FakePlatform(document(command=list(argv), **fields))


async def test_a_command_keeps_output_error_and_exit_code_apart(tmp_path: Path) -> None:
    async with job("sh", "-c", "echo out; echo err >&2; exit 3") as platform:
        code = await agent(tmp_path, platform).finish()
    assert platform.output("stdout") == "out\n"
    assert platform.output("stderr") == "err\n"
    assert platform.result == RunResult(
        status=ResultStatus.FAILED,
        answer="out\n",
        reason="ExitCode",
        message="exit code 3: err",
        exit_code=3,
        transient=True,
    )
    assert code == 1


async def test_a_command_is_told_the_tokens_of_its_leases(tmp_path: Path) -> None:
    async with job("sh", "-c", "echo $COXSWAIN_LEASES") as platform:
        platform.leases = {"deploy": 42}
        await agent(tmp_path, platform).finish()
    assert json.loads(platform.output("stdout")) == {"deploy": 42}
    async with job("sh", "-c", "echo ${COXSWAIN_LEASES-none}") as platform:
        await agent(tmp_path, platform).finish()
    assert platform.output("stdout") == "none\n"


async def test_a_command_is_one_act_until_the_result_and_events_count_from_one(
    tmp_path: Path,
) -> None:
    async with job("echo", "hello") as platform:
        code = await agent(tmp_path, platform).finish()
    assert code == 0
    # No end: a pod that is lost before the result has perhaps done it all.
    assert platform.acts == [("command", "begin")]
    assert [event.seq for event in platform.events] == list(range(1, len(platform.events) + 1))


async def test_files_of_the_job_stand_in_the_workspace_before_the_command(tmp_path: Path) -> None:
    mounted = tmp_path / "files" / "..data" / "notes"
    mounted.mkdir(parents=True)
    (mounted / "a.txt").write_text("hello")
    (tmp_path / "files" / "notes").symlink_to("..data/notes")
    async with job("cat", "notes/a.txt") as platform:
        await agent(tmp_path, platform).finish()
    assert platform.result is not None
    assert platform.result.answer == "hello"


async def test_a_program_gets_the_door_and_never_the_token(tmp_path: Path) -> None:
    async with job("env") as platform:
        await agent(tmp_path, platform).finish()
    assert platform.result is not None
    seen = dict(line.split("=", 1) for line in (platform.result.answer or "").splitlines())
    assert seen["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    assert seen["OPENAI_API_KEY"] == "unused"
    assert "COXSWAIN_TOKEN_FILE" not in seen
    assert "the-token" not in seen.values()


async def test_a_long_output_is_kept_whole_as_an_artifact(tmp_path: Path) -> None:
    async with job("sh", "-c", "yes 0123456 | head -c 3000000") as platform:
        await agent(tmp_path, platform).finish()
    assert len(platform.artifacts["stdout"]) == 3_000_000
    assert platform.result is not None
    assert platform.result.artifacts == ["stdout"]
    marks = [event.details for event in platform.events if event.details.get("overflow")]
    assert marks == [
        {
            "stream": "stdout",
            "text": "",
            "bytes": 3_000_000,
            "overflow": True,
            "truncated": False,
            "artifact": "stdout",
        }
    ]


async def test_a_long_output_is_sent_again_while_the_platform_cannot_keep_it(
    tmp_path: Path,
) -> None:
    async with job("sh", "-c", "yes 0123456 | head -c 300000") as platform:
        platform.faults["artifacts"] = deque([503, 503])
        await agent(tmp_path, platform).finish()
    assert len(platform.artifacts["stdout"]) == 300_000
    assert platform.result is not None
    assert platform.result.artifacts == ["stdout"]


async def test_an_output_that_cannot_be_kept_in_time_does_not_use_up_the_runs_time(
    tmp_path: Path,
) -> None:
    async with job("sh", "-c", "yes 0123456 | head -c 300000", timeout_seconds=4) as platform:
        platform.faults["artifacts"] = deque([503] * 99)
        await agent(tmp_path, platform).finish()
    assert platform.result is not None
    assert platform.result.status is ResultStatus.SUCCEEDED
    assert platform.result.artifacts == []
    (mark,) = [event.details for event in platform.events if event.details.get("overflow")]
    assert "could not be kept" in mark["error"]


async def test_an_output_beyond_the_artifact_bound_is_marked_as_cut(tmp_path: Path) -> None:
    async with job("sh", "-c", f"head -c {ARTIFACT_BYTES + 5} /dev/zero") as platform:
        await agent(tmp_path, platform).finish()
    assert len(platform.artifacts["stdout"]) == ARTIFACT_BYTES
    assert [e.details["truncated"] for e in platform.events if e.details.get("overflow")] == [True]


async def test_answers_of_a_newer_platform_are_understood(tmp_path: Path) -> None:
    platform = job("echo", "hello")
    platform.newer = {"mood": {"of": "the day"}}
    async with platform:
        code = await agent(tmp_path, platform).finish()
    assert code == 0


async def test_a_run_that_another_pod_has_ends_before_any_user_code(tmp_path: Path) -> None:
    platform = job("touch", "proof")
    platform.faults["claim"] = deque([409])
    async with platform:
        process = agent(tmp_path, platform)
        code = await process.finish()
    assert code == 77
    assert not (process.workspace / "proof").exists()
    assert platform.result is None


async def test_a_claim_is_tried_again_while_the_platform_starts(tmp_path: Path) -> None:
    platform = job("true")
    platform.faults["claim"] = deque([503, 503])
    async with platform:
        code = await agent(tmp_path, platform).finish()
    assert code == 0


async def test_a_platform_that_never_answers_is_given_up(tmp_path: Path) -> None:
    platform = job("true")
    process = AgentTask(tmp_path, NOWHERE, NOWHERE, RUN, {"claim_seconds": 0.3})
    code = await process.finish()
    assert code == 75
    assert platform.result is None


async def test_sigterm_ends_the_command_then_posts_what_happened(tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo ready; while true; do sleep 0.05; done"
    async with job("sh", "-c", script) as platform:
        process = agent(tmp_path, platform)
        process.start()
        await until(lambda: "ready" in platform.output("stdout"))
        process.terminate()
        code = await process.wait()
    assert code == 1
    assert platform.output("stdout") == "ready\nbye\n"
    assert platform.result is not None
    # Why it was told to end is for the operator to know, who also sees the act that stays open.
    assert platform.result.reason == "Terminated"
    assert "command" in (platform.result.message or "")
    assert platform.acts == [("command", "begin")]


async def test_sigterm_of_a_repeatable_command_is_a_reason_to_try_again(tmp_path: Path) -> None:
    async with job("sh", "-c", "echo ready; exec sleep 60", repeatable=True) as platform:
        process = agent(tmp_path, platform)
        process.start()
        await until(lambda: "ready" in platform.output("stdout"))
        process.terminate()
        await process.wait()
    assert platform.result is not None
    assert (platform.result.reason, platform.result.transient) == ("Terminated", True)


async def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    script = "trap '' TERM; echo ready; while true; do sleep 0.05; done"
    async with job("sh", "-c", script, repeatable=True) as platform:
        process = agent(tmp_path, platform, grace_seconds=0.3)
        process.start()
        await until(lambda: "ready" in platform.output("stdout"))
        platform.cancel = True
        code = await process.wait()
    assert code == 1
    assert platform.result is not None
    assert (platform.result.reason, platform.result.transient) == ("Cancelled", False)


async def test_a_run_ends_itself_when_its_time_is_up(tmp_path: Path) -> None:
    async with job("sleep", "60", timeout_seconds=1, repeatable=True) as platform:
        await agent(tmp_path, platform).finish()
    assert platform.result is not None
    assert platform.result.reason == "Timeout"


async def test_a_command_does_not_start_unrecorded(tmp_path: Path) -> None:
    platform = job("touch", "proof")
    platform.faults["acts"] = deque([503] * 4)
    async with platform:
        process = agent(tmp_path, platform, platform_wait_seconds=0.2)
        await process.finish()
    assert not (process.workspace / "proof").exists()
    assert platform.result is not None
    assert platform.result.reason == "CommandNotStarted"


async def test_an_act_that_the_platform_refuses_is_not_done(tmp_path: Path) -> None:
    platform = job("touch", "proof")
    platform.faults["acts"] = deque([422])
    async with platform:
        process = agent(tmp_path, platform)
        code = await process.finish()
    assert code == 1
    assert not (process.workspace / "proof").exists()
    assert platform.result is not None
    assert platform.result.reason == "CommandNotStarted"


async def test_events_and_result_wait_for_a_platform_that_is_away(tmp_path: Path) -> None:
    script = "echo ready; while [ ! -e go ]; do sleep 0.05; done; echo done"
    async with job("sh", "-c", script) as platform:
        process = agent(tmp_path, platform)
        process.start()
        await until(lambda: "ready" in platform.output("stdout"))
        platform.away = True
        (process.workspace / "go").touch()
        await until(lambda: (process.folder / "termination-log").exists())
        assert not platform.has_result()
        platform.away = False
        code = await process.wait()
    assert code == 0
    assert platform.output("stdout") == "ready\ndone\n"
    assert platform.result is not None
    assert platform.acts == [("command", "begin")]


async def test_the_last_word_is_the_result_in_short(tmp_path: Path) -> None:
    async with job("sh", "-c", "yes | head -c 100000") as platform:
        process = agent(tmp_path, platform)
        await process.finish()
    last = RunResult.model_validate_json(process.termination)
    assert last.status is ResultStatus.SUCCEEDED
    assert len(process.termination.encode()) <= 4096
    assert (last.answer or "").startswith("y\ny\n")
