"""The whole narrow path on one machine: real agent process, sidecar API, model gateway, Postgres."""

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from typing_extensions import override

from coxswain.api.agent import Provider, Tool
from coxswain.api.contract import ModelRoute, ResultStatus
from coxswain.errors import NotFoundError
from coxswain.gateway.models import process
from coxswain.settings import ModelGatewaySettings
from coxswain.store import events, mirror, runs, usage, verdicts, wakes
from coxswain.store.pool import Store
from coxswain.store.runs import Run
from tests.support import provider, rows, sidecar_api
from tests.support.agents import AgentProcess
from tests.support.objects import FakeCluster
from tests.support.postgres import Database

CANARY = "sk-canary-0123456789abcdef"
SECRET = "/api/v1/namespaces/team/secrets/key"
DEMO = ModelRoute(alias="main", provider=Provider.DEMO, model="demo")
TEXT = """The lighthouse was built in 1874 on a low rock off the cape.

The lamp burned colza oil until 1911, when it was changed for paraffin.
"""


class Cluster(FakeCluster):
    """It has Secrets too."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[str, dict[str, Any]] = {}

    @override
    async def get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        if "/secrets/" not in path:
            return await super().get(path, params)
        if path not in self.secrets:
            raise NotFoundError("no such secret")
        return self.secrets[path]


@dataclasses.dataclass
class Platform:
    """The processes, and what the operator would do."""

    stack: AsyncExitStack
    database: Database
    operator: Store
    folder: Path
    cluster: Cluster
    api_url: str = ""
    models_url: str = ""

    async def start(self, *listed: str) -> None:
        api = sidecar_api.running(self.database, self.operator, self.folder)
        started = await self.stack.enter_async_context(api)
        # One cluster signs for both.
        self.cluster.keys = started.cluster.keys
        given = ModelGatewaySettings(
            database_dsn=SecretStr(self.database.gateway),
            bind="127.0.0.1",
            port=0,
            health_port=0,
            installation="test",
            mode="dev",
            provider_base_urls=list(listed),
            verdict_poll_seconds=0.05,
        )
        models = process.running(given, self.cluster, leave_seconds=0)
        ports = await self.stack.enter_async_context(models)
        self.api_url, self.models_url = started.url, f"http://127.0.0.1:{ports.door}"

    async def finish(self, **fields: Any) -> tuple[int, str, Run]:
        """Open a run, let a real agent process do it, and return what the row says."""
        new = rows.new_run()
        document = new.document.model_copy(update={"models": [DEMO], **fields})
        new = dataclasses.replace(new, document=document)
        await self.operator.transact(runs.open_run, new)
        run = f"{new.key.job_uid}/{new.key.attempt}"
        token = self.cluster.token(rows.pod(name=new.pod_name))
        agent = AgentProcess(self.folder, self.api_url, self.models_url, run, token=token)
        code, said = await agent.finish()
        found = await self.operator.run(runs.of, new.key)
        assert found is not None
        return code, said, found


@pytest.fixture
async def platform(
    database: Database, operator_store: Store, tmp_path: Path
) -> AsyncIterator[Platform]:
    async with AsyncExitStack() as stack:
        yield Platform(stack, database, operator_store, tmp_path, Cluster())


async def kinds(store: Store, job_uid: str) -> list[str]:
    page = await store.run(events.after, 0, events.Filter(uid=job_uid))
    assert isinstance(page, events.Page)
    return [each.event.type for each in page.events]


async def test_an_agent_answers_a_question_about_a_text(platform: Platform) -> None:
    await platform.start()
    await asyncio.to_thread(_write, platform.folder / "files" / "lighthouse.txt", TEXT)
    code, said, run = await platform.finish(prompt="Which oil did the lamp burn?", tools=list(Tool))
    assert code == 0, said
    assert run.result is not None
    assert "demo" in (run.result.answer or "")
    assert "colza oil until 1911" in (run.result.answer or "")
    assert run.acts_open == {}
    seen = await kinds(platform.operator, run.key.job_uid)
    assert seen[0] == "run.claimed"
    assert seen[-1] == "run.result"
    assert seen.count("run.tool_call") == seen.count("run.tool_result") == 2
    calls = await platform.operator.run(usage.of_job, run.key.job_uid)
    assert [(call.provider, call.outcome) for call in calls] == [("demo", "ok")] * 3


async def test_a_command_leaves_its_output_as_events_and_artifact(platform: Platform) -> None:
    await platform.start()
    script = "yes 0123456 | head -c 600000; echo oops >&2; exit 3"
    code, said, run = await platform.finish(prompt=None, command=["sh", "-c", script])
    assert code == 1, said
    assert run.result is not None
    assert (run.result.status, run.result.exit_code) == (ResultStatus.FAILED, 3)
    assert run.result.artifacts == ["stdout"]
    connection = await asyncpg.connect(platform.database.admin)
    kept = await connection.fetchval(
        "SELECT bytes FROM artifacts WHERE job_uid = $1", run.key.job_uid
    )
    await connection.close()
    assert kept == 600_000
    assert list(run.acts_open.values()) == ["command"]


async def test_a_key_shows_up_nowhere(
    platform: Platform, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    async with provider.Provider() as server:
        url = f"{server.url}/v1"
        data = {"apiKey": CANARY, "baseURLs": url}
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
        platform.cluster.secrets[SECRET] = {"type": "coxswain.dev/provider", "data": encoded}
        await platform.start(url)
        server.will(
            provider.CallTool("run_command", {"command": "env; cat /proc/self/environ"}),
            provider.Fail(400, None, "your key {key} is fine, the request is not"),
        )
        route = ModelRoute(
            alias="main", provider=Provider.OPENAI, model="m", base_url=url, secret_name="key"
        )
        code, said, run = await platform.finish(prompt="x", tools=list(Tool), models=[route])
        assert server.keys == [CANARY, CANARY]
    assert code == 1, said
    assert run.result is not None
    assert run.result.reason == "PROVIDER_BAD_REQUEST"
    logs = said + caplog.text + capsys.readouterr().out
    assert "canary" not in logs + await asyncio.to_thread(_everything, platform.folder)
    assert "canary" not in await _dump(platform.database.admin)


async def test_an_agents_models_are_judged_and_the_operator_is_woken(platform: Platform) -> None:
    await platform.start()
    choice = {"alias": "main", "provider": "openai", "model": "m", "credentials": {"name": "key"}}
    row = sidecar_api.object_row("reader", kind="Agent", spec={"models": [choice]})
    await platform.operator.transact(mirror.write, [row], [])
    said = await _verdict(platform.operator, row.uid)
    assert (said.ready, said.reason) == (False, "CredentialsMissing")
    woken = await platform.operator.run(wakes.unhandled)
    assert [(wake.kind, wake.workspace, wake.name) for wake in woken] == [
        ("Agent", "team", "reader")
    ]


async def _verdict(store: Store, uid: str) -> verdicts.Verdict:
    async with asyncio.timeout(10):
        while not (found := await store.run(verdicts.of, [uid])):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found[uid]


async def _dump(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables")
    found = [
        await connection.fetch(f'SELECT t::text AS row FROM "{table["relname"]}" t')  # noqa: S608
        for table in tables
    ]
    await connection.close()
    text = "\n".join(str(row["row"]) for part in found for row in part)
    assert "PROVIDER_BAD_REQUEST" in text
    return text


def _everything(folder: Path) -> str:
    return "\n".join(
        path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
