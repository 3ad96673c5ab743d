"""The agent program as a process: its first process, its signals, its exit codes."""

from collections import deque
from pathlib import Path

from devtools import children
from tests.support.agents import AgentProcess
from tests.support.platform_door import RUN, FakePlatform, document
from tests.support.waiting import until

NOWHERE = "http://127.0.0.1:9"


def job(*argv: str) -> FakePlatform:
    return FakePlatform(document(command=list(argv), repeatable=True))


async def test_sigterm_reaches_the_program_behind_the_first_process(tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo ready; while true; do sleep 0.05; done"
    async with job("sh", "-c", script) as platform:
        process = AgentProcess(tmp_path, platform.url, NOWHERE, RUN)
        await process.start()
        await until(lambda: "ready" in platform.output("stdout"))
        process.terminate()
        code, said = await process.wait()
    assert code == 1, said
    assert platform.output("stdout") == "ready\nbye\n"
    assert platform.result is not None
    assert platform.result.reason == "Terminated"


async def test_a_refused_claim_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    platform = job("true")
    platform.faults["claim"] = deque([409])
    async with platform:
        code, _ = await AgentProcess(tmp_path, platform.url, NOWHERE, RUN).finish()
    assert code == 77


async def test_a_wrong_environment_is_refused_with_every_bad_key(tmp_path: Path) -> None:
    process = AgentProcess(tmp_path, "not a url", NOWHERE, "nonsense")
    code, said = await process.finish()
    assert code == 78
    assert "COXSWAIN_URL" in said
    assert "COXSWAIN_RUN" in said


async def test_orphans_are_taken_in_and_buried(tmp_path: Path) -> None:
    orphan = "sleep 0.1; ps -o ppid= -p $$ > parent; touch done"
    wait = "while [ ! -e done ]; do sleep 0.05; done; sleep 0.1"
    script = f"(setsid sh -c '{orphan}' &); {wait}; cat parent; ps -e -o stat=,ppid="
    async with job("sh", "-c", script) as platform:
        process = AgentProcess(tmp_path, platform.url, NOWHERE, RUN)
        await process.start()
        assert process.process is not None
        first = str(process.process.pid)
        await process.wait()
    assert platform.result is not None
    parent, *rows = (line.split() for line in (platform.result.answer or "").splitlines())
    assert parent == [first]
    assert rows
    assert not [row for row in rows if row[0].startswith("Z") and row[1] == first]


async def test_a_program_sees_nothing_of_the_pods_own_settings(tmp_path: Path) -> None:
    async with job("env") as platform:
        await AgentProcess(tmp_path, platform.url, NOWHERE, RUN).finish()
    assert platform.result is not None
    seen = dict(line.split("=", 1) for line in (platform.result.answer or "").splitlines())
    ours = {name for name in seen if name.startswith("COXSWAIN_")}
    assert ours == {"COXSWAIN_URL", "COXSWAIN_MODELS_URL", "COXSWAIN_RUN", "COXSWAIN_WORKSPACE"}
    assert seen["COXSWAIN_URL"].startswith("http://127.0.0.1:")
    assert seen["COXSWAIN_URL"] != platform.url
    assert "the-token" not in str(seen)


async def test_the_door_is_the_same_program_with_another_word(tmp_path: Path) -> None:
    signs = children.free_port()
    async with job("true") as platform:
        extra = {"signs_port": signs}
        process = AgentProcess(tmp_path, platform.url, NOWHERE, RUN, extra, arguments=("door",))
        await process.start()
        await until(lambda: platform.heartbeats > 0)
        process.terminate()
        code, said = await process.wait()
    assert code == 0, said
    assert (platform.acts, platform.result) == ([("command", "begin")], None)


async def test_a_word_that_the_program_does_not_know_is_refused(tmp_path: Path) -> None:
    process = AgentProcess(tmp_path, NOWHERE, NOWHERE, RUN, arguments=("dor",))
    code, said = await process.finish()
    assert code == 78
    assert "dor" in said
