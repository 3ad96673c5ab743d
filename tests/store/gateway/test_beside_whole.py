"""Our door beside a program that knows nothing of us: real door process, API, model gateway, Postgres."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from coxswain.api.contract import ResultStatus
from coxswain.store import runs
from coxswain.store.pool import Store
from coxswain.store.runs import Run
from devtools import children
from tests.store.gateway.test_whole import DEMO, Cluster, Platform
from tests.support import rows
from tests.support.agents import AgentProcess
from tests.support.beside import Kubelet
from tests.support.postgres import Database


@pytest.fixture
async def platform(
    database: Database, operator_store: Store, tmp_path: Path
) -> AsyncIterator[Platform]:
    async with AsyncExitStack() as stack:
        started = Platform(stack, database, operator_store, tmp_path, Cluster())
        await started.start()
        yield started


@dataclasses.dataclass
class Beside:
    """A door as a process, in the place of a pod's native sidecar."""

    platform: Platform
    process: AgentProcess
    kubelet: Kubelet
    new: runs.NewRun
    door: int

    async def call(self, route: str, **body: Any) -> Any:
        """What a program says through the door, without any token."""
        async with (
            aiohttp.ClientSession() as program,
            program.post(f"http://127.0.0.1:{self.door}/v1/{route}", json=body) as answer,
        ):
            assert answer.status in (200, 204), await answer.text()
            return await answer.json() if answer.status == 200 else None

    async def starts(self) -> None:
        """Start it, and the program once it may."""
        await self.process.start()
        await self.kubelet.starts_program()

    async def run(self) -> Run:
        """The row."""
        found = await self.platform.operator.run(runs.of, self.new.key)
        assert found is not None
        return found


async def beside(platform: Platform, **fields: Any) -> Beside:
    """The run of a program in an image of its own, and the door that will claim it."""
    new = rows.new_run()
    change = {"models": [DEMO], "prompt": None, "image": "ghcr.io/team/tool:1", **fields}
    new = dataclasses.replace(new, document=new.document.model_copy(update=change))
    await platform.operator.transact(runs.open_run, new)
    token = platform.cluster.token(rows.pod(name=new.pod_name))
    door, signs = children.free_port(), children.free_port()
    process = AgentProcess(
        platform.folder,
        platform.api_url,
        platform.models_url,
        f"{new.key.job_uid}/{new.key.attempt}",
        {"door_port": door, "signs_port": signs},
        token,
        arguments=("door",),
    )
    return Beside(platform, process, Kubelet(signs), new, door)


async def test_a_program_that_speaks_to_the_door_asks_a_model_and_posts_its_result(
    platform: Platform,
) -> None:
    found = await beside(platform, command=["tool"])
    await found.starts()
    run = f"{found.new.key.job_uid}/{found.new.key.attempt}"
    claimed = await found.call("run/claim", run=run)
    assert claimed["run"]["image"] == "ghcr.io/team/tool:1"
    said = await found.call(
        "chat/completions", model="default", messages=[{"role": "user", "content": "Who?"}]
    )
    answer = said["choices"][0]["message"]["content"]
    assert "demo" in answer
    await found.call("run/result", status="succeeded", answer=answer)
    found.process.terminate()
    code, log = await found.process.wait()
    assert code == 0, log
    row = await found.run()
    assert row.result is not None
    assert (row.result.status, row.result.answer) == (ResultStatus.SUCCEEDED, answer)
    assert list(row.acts_open.values()) == ["command"]


async def test_a_door_that_is_killed_claims_again_as_the_same_pod(platform: Platform) -> None:
    found = await beside(platform, command=["tool"])
    await found.starts()
    first = await found.run()
    found.process.kill()
    await found.process.wait()
    await found.starts()
    await found.call("run/heartbeat")
    again = await found.run()
    assert (again.pod_uid, again.token, again.claimed_at) == (
        first.pod_uid,
        first.token,
        first.claimed_at,
    )
    assert list(again.acts_open.values()) == ["command"]
    found.process.terminate()
    assert (await found.process.wait())[0] == 0


async def test_what_a_program_left_reaches_the_row_and_is_no_success_yet(
    platform: Platform,
) -> None:
    schema = {"type": "object", "required": ["sum"]}
    found = await beside(platform, type="count", input='{"n": 3}', output_schema=schema)
    await found.starts()
    (platform.folder / "handed" / "output.json").write_text('{"sum": 6}')
    found.process.terminate()
    code, log = await found.process.wait()
    assert code == 0, log
    row = await found.run()
    assert row.result is not None
    assert (row.result.reason, row.result.output) == ("Terminated", '{"sum": 6}')
    assert list(row.acts_open.values()) == ["the image's own program"]
