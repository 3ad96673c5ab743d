"""The door beside an image that knows nothing of us."""

import json
import os
import socket
from collections import deque
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from coxswain.api.contract import ExitCode, ResultStatus
from coxswain_agent.signs import Signs
from tests.support.beside import NOWHERE, Beside, standing
from tests.support.platform_door import RUN, FakePlatform, document
from tests.support.waiting import until


def runs(**run: Any) -> FakePlatform:
    return FakePlatform(document(**{"command": ["tool"], "image": "x.io/y:1", **run}))


def counts(**run: Any) -> FakePlatform:
    """A run of a job type."""
    return runs(type="count", input='{"n": 3}', **run)


async def test_the_program_may_start_once_the_run_is_claimed_and_its_act_recorded(
    tmp_path: Path,
) -> None:
    platform = runs()
    platform.away = True
    async with standing(tmp_path, platform) as door:
        await door.kubelet.until_it_says("/started", wanted=False)
        assert (platform.claims, platform.acts) == (0, [])
        platform.away = False
        await door.kubelet.starts_program()
        assert (platform.claims, platform.acts) == (1, [("command", "begin")])
        await until(lambda: platform.heartbeats > 1)
        assert await door.leaves() == ExitCode.SUCCEEDED
    # Exit code and termination message decide; the door has no word in it.
    assert (platform.result, platform.events) == (None, [])


@pytest.mark.parametrize(
    ("run", "acts"),
    [
        ({"command": None}, [("the image's own program", "begin")]),
        # Whoever was given a prompt has read its run, and keeps to the contract.
        ({"command": None, "prompt": "p"}, []),
    ],
)
async def test_only_a_program_that_knows_nothing_of_acts_is_one_as_a_whole(
    tmp_path: Path, run: dict[str, Any], acts: list[tuple[str, str]]
) -> None:
    platform = runs(**run)
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        await door.leaves()
    assert platform.acts == acts


async def test_the_program_speaks_to_the_platform_through_the_door_without_a_token(
    tmp_path: Path,
) -> None:
    platform = runs()
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        async with aiohttp.ClientSession() as program:
            for route, body in (
                ("claim", {"run": RUN}),
                ("result", {"status": "succeeded", "answer": "42"}),
            ):
                url = f"{door.door_url}/v1/run/{route}"
                async with program.post(url, json=body) as response:
                    assert response.status in (200, 204)
        await door.leaves()
    assert platform.claims == 2
    assert platform.result is not None
    assert platform.result.answer == "42"


@pytest.mark.parametrize("span", ["", f"00-{'a' * 32}-{'b' * 16}-01"])
async def test_whatever_the_door_says_itself_names_the_attempts_span_where_there_are_traces(
    tmp_path: Path, span: str
) -> None:
    platform = runs()
    async with standing(tmp_path, platform, traceparent=span) as door:
        await door.kubelet.starts_program()
        await until(lambda: platform.heartbeats > 1)
        await door.leaves()
    assert platform.callers == {span or None}


async def test_files_and_input_are_laid_out_before_the_program_starts(tmp_path: Path) -> None:
    platform = counts()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("of the Job")
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        assert (door.workspace / "a.txt").read_text() == "of the Job"
        assert json.loads((tmp_path / "handed" / "input.json").read_text()) == {"n": 3}


async def test_without_files_of_the_job_it_needs_no_workspace(tmp_path: Path) -> None:
    absent = {"files": tmp_path / "no-files", "workspace": tmp_path / "not-mounted"}
    async with standing(tmp_path, runs(), **absent) as door:
        await door.kubelet.starts_program()
        assert await door.leaves() == ExitCode.SUCCEEDED


async def test_what_the_program_left_as_output_is_told_and_is_no_result(tmp_path: Path) -> None:
    platform = counts()
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        (tmp_path / "handed" / "output.json").write_text('{"sum": 6}')
        await door.leaves()
    assert platform.result is not None
    assert (platform.result.status, platform.result.reason) == (ResultStatus.FAILED, "Terminated")
    assert (platform.result.output, platform.result.message) == ('{"sum": 6}', None)
    assert json.loads(door.termination)["output"] == '{"sum": 6}'


async def test_an_output_waits_in_the_last_word_while_the_platform_is_away(tmp_path: Path) -> None:
    platform = counts()
    async with standing(tmp_path, platform, stop_seconds=0.3) as door:
        await door.kubelet.starts_program()
        (tmp_path / "handed" / "output.json").write_text('{"sum": 6}')
        platform.away = True
        assert await door.leaves() == ExitCode.SUCCEEDED
    assert platform.result is None
    assert json.loads(door.termination)["output"] == '{"sum": 6}'


async def test_a_result_of_the_programs_own_stays(tmp_path: Path) -> None:
    platform = counts()
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        (tmp_path / "handed" / "output.json").write_text('{"sum": 6}')
        async with (
            aiohttp.ClientSession() as program,
            program.post(f"{door.door_url}/v1/run/result", json={"status": "succeeded"}) as said,
        ):
            assert said.status == 204
        assert await door.leaves() == ExitCode.SUCCEEDED
    assert platform.result is not None
    assert platform.result.status is ResultStatus.SUCCEEDED


def _link(path: Path) -> None:
    path.symlink_to(path.parents[1] / "token")


@pytest.mark.parametrize(
    ("leave", "why"),
    [
        (lambda path: path.write_text("{"), "output: this is not JSON"),
        (lambda path: path.write_text("x" * 300_000), "output: "),
        (_link, "output: it cannot be read"),
        (os.mkfifo, "output: it is not a plain file"),
        (Path.mkdir, "output: "),
    ],
)
async def test_an_output_that_is_none_is_told_as_such_and_leads_nowhere(
    tmp_path: Path, leave: Any, why: str
) -> None:
    platform = counts()
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        leave(tmp_path / "handed" / "output.json")
        await door.leaves()
    assert platform.result is not None
    assert platform.result.output is None
    assert platform.result.message is not None
    assert platform.result.message.startswith(why)


async def test_no_output_is_told_where_there_is_none(tmp_path: Path) -> None:
    platform = counts()
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        await door.leaves()
    assert platform.result is None


@pytest.mark.parametrize("status", [404, 409])
async def test_a_run_that_is_not_ours_never_lets_the_program_start(
    tmp_path: Path, status: int
) -> None:
    platform = runs()
    platform.faults["claim"] = deque([status])
    async with standing(tmp_path, platform) as door:
        assert await door.wait() in (ExitCode.CLOSED, ExitCode.UNREACHABLE)
        assert await door.kubelet.says("/started") is None
    assert platform.acts == []


async def test_an_act_that_cannot_be_recorded_never_lets_the_program_start(tmp_path: Path) -> None:
    platform = runs()
    platform.faults["acts"] = deque([422])
    async with standing(tmp_path, platform) as door:
        assert await door.wait() == ExitCode.UNREACHABLE


async def test_files_that_do_not_fit_are_the_result_before_the_program_starts(
    tmp_path: Path,
) -> None:
    platform = runs()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_text("x")
    (tmp_path / "workspace" / "a").mkdir(parents=True)
    async with standing(tmp_path, platform) as door:
        assert await door.wait() == ExitCode.FAILED
    assert platform.result is not None
    assert platform.result.reason == "FilesNotCopied"
    assert platform.acts == []


async def _asks(door: Beside) -> int | None:
    """A program that still wants something of the platform."""
    try:
        async with aiohttp.ClientSession() as program:
            url = f"{door.door_url}/v1/run/heartbeat"
            async with program.post(url, json={}) as response:
                return response.status
    except aiohttp.ClientError:
        return None


async def test_a_cancelled_program_is_ended_and_reaches_nobody_until_it_is(tmp_path: Path) -> None:
    platform = runs()
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        assert await _asks(door) == 200
        platform.cancel = True
        await door.kubelet.ends_program()
        await until(platform.has_result)
        assert await _asks(door) is None
        assert await door.leaves() == ExitCode.SUCCEEDED
    assert platform.result is not None
    assert (platform.result.reason, platform.result.transient) == ("Cancelled", False)


async def test_a_program_whose_time_is_up_is_ended(tmp_path: Path) -> None:
    platform = runs(timeout_seconds=1)
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        await door.kubelet.ends_program()
        await until(platform.has_result)
        await door.leaves()
    assert platform.result is not None
    assert (platform.result.reason, platform.result.transient) == ("Timeout", False)


async def test_time_counts_from_the_programs_start_and_not_from_the_claim(tmp_path: Path) -> None:
    platform = runs(timeout_seconds=1)
    async with standing(tmp_path, platform) as door:
        await door.kubelet.until_it_says("/started", wanted=True)
        # As long as its image is pulled, nobody asks after it.
        before = platform.heartbeats
        await until(lambda: platform.heartbeats > before + 30)
        assert platform.result is None
        await door.kubelet.starts_program()
        await door.kubelet.ends_program()


async def test_a_run_that_is_closed_ends_the_program_without_a_word(tmp_path: Path) -> None:
    platform = runs()
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        platform.faults["heartbeat"] = deque([401])
        await door.kubelet.ends_program()
        assert await door.leaves() == ExitCode.SUCCEEDED
    assert platform.result is None


async def test_a_door_that_was_killed_claims_again_and_lays_nothing_out_a_second_time(
    tmp_path: Path,
) -> None:
    platform = counts()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_text("of the Job")
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        (door.workspace / "a").write_text("changed")
        (tmp_path / "handed" / "input.json").write_text("changed")
        await door.is_killed()
        assert await _asks(door) is None
        door.start()
        await door.kubelet.starts_program()
        assert await _asks(door) == 200
        assert (door.workspace / "a").read_text() == "changed"
        assert (tmp_path / "handed" / "input.json").read_text() == "changed"
        await door.leaves()
    assert platform.claims == 2
    assert platform.acts == [("command", "begin")]


async def test_a_door_that_was_killed_does_not_give_the_program_its_time_again(
    tmp_path: Path,
) -> None:
    platform = runs(timeout_seconds=1)
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        await until(lambda: (tmp_path / "spool" / "began").exists())
        await door.is_killed()
        past = (tmp_path / "spool" / "began").read_text().replace("20", "19", 1)
        (tmp_path / "spool" / "began").write_text(past)
        door.start()
        # Nobody has asked after the program yet.
        await until(platform.has_result)
    assert platform.result is not None
    assert platform.result.reason == "Timeout"


async def test_a_door_that_finds_its_run_closed_ends_the_program_that_runs(tmp_path: Path) -> None:
    platform = runs()
    async with standing(tmp_path, platform) as door:
        await door.kubelet.starts_program()
        await until(lambda: (tmp_path / "spool" / "began").exists())
        await door.is_killed()
        platform.faults["claim"] = deque([409])
        door.start()
        await door.kubelet.ends_program()
        assert await _asks(door) is None
        assert await door.leaves() == ExitCode.SUCCEEDED


async def test_a_door_that_is_told_to_end_before_its_claim_did_not_lose_its_run(
    tmp_path: Path,
) -> None:
    platform = runs()
    platform.away = True
    async with standing(tmp_path, platform) as door:
        await door.kubelet.until_it_says("/started", wanted=False)
        assert await door.leaves() == ExitCode.UNREACHABLE


async def test_a_platform_that_never_answers_is_tried_again_by_another_start(
    tmp_path: Path,
) -> None:
    door = Beside(tmp_path, NOWHERE, NOWHERE, RUN, {"claim_seconds": 0.2})
    assert await door.finish() == ExitCode.UNREACHABLE


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_the_kubelet_is_answered_at_every_address_of_the_pod(host: str) -> None:
    if host == "[::1]" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    async with Signs() as signs, aiohttp.ClientSession() as kubelet:
        async with kubelet.get(f"http://{host}:{signs.port}/started") as answer:
            assert answer.status == 503
        async with kubelet.get(f"http://{host}:{signs.port}/anything") as answer:
            assert answer.status == 404


async def test_a_port_that_somebody_has_taken_is_an_error_and_not_another_port() -> None:
    async with Signs() as first:
        with pytest.raises(OSError, match="in use"):
            await Signs(first.port).__aenter__()
