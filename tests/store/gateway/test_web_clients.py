"""Programs that know nothing of us reach the web by the agent program's proxy: curl, and Python's urllib."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.api.egress import EgressHost
from coxswain.store import runs
from coxswain.store.pool import Store
from coxswain.store.runs import RunKey
from tests.support import rows, sidecar_api, web_door
from tests.support.agents import AgentProcess
from tests.support.postgres import Database
from tests.support.sidecar_api import Api
from tests.support.tls_server import TlsServer
from tests.support.web_door import WebDoor

NOWHERE = "http://127.0.0.1:9"
URLLIB = (
    "import sys, ssl, urllib.request as r;"
    "print(r.urlopen(sys.argv[1], context=ssl.create_default_context(cafile=sys.argv[2]))"
    ".read().decode())"
)


@dataclass
class Machine:
    """Sidecar API, web door and a TLS server, and agents that run beside them."""

    folder: Path
    api: Api
    door: WebDoor
    server: TlsServer
    operator: Store
    more: dict[str, Any] = field(default_factory=dict)
    """More settings of its agents."""

    async def run(self, *command: str) -> tuple[RunKey, RunResult]:
        """What a command of an agent comes to whose Agent lists one host."""
        new = rows.new_run()
        host = EgressHost(host="listed.example", port=self.server.port)
        document = new.document.model_copy(
            update={"prompt": None, "command": list(command), "egress": [host]}
        )
        await self.operator.transact(runs.open_run, dataclasses.replace(new, document=document))
        extra = {"egress_url": self.door.url, "web_door_port": 0, **self.more}
        token = self.api.cluster.token(rows.pod(name=new.pod_name))
        run = f"{new.key.job_uid}/{new.key.attempt}"
        agent = AgentProcess(self.folder, self.api.url, NOWHERE, run, extra, token)
        _, said = await agent.finish()
        found = await self.operator.run(runs.of, new.key)
        assert found is not None
        assert found.result is not None, said
        return new.key, found.result

    def url(self, host: str) -> str:
        """A place on a host."""
        return f"https://{host}:{self.server.port}/place"


@pytest.fixture
async def machine(
    database: Database, operator_store: Store, tmp_path: Path
) -> AsyncIterator[Machine]:
    folder = tmp_path / "certificates"
    await asyncio.to_thread(folder.mkdir)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TlsServer(folder))
        running = sidecar_api.running(database, operator_store, tmp_path)
        api = await stack.enter_async_context(running)
        door = web_door.running(database, cluster=api.cluster)
        yield Machine(tmp_path, api, await stack.enter_async_context(door), server, operator_store)


async def test_curl_reaches_a_listed_host_and_no_other(machine: Machine) -> None:
    curl = ["curl", "--silent", "--show-error", "--cacert", str(machine.server.trusted)]
    key, result = await machine.run(*curl, machine.url("listed.example"))
    assert (result.status, result.answer) == (ResultStatus.SUCCEEDED, "/place"), result.message
    opened, closed = await machine.door.told(key, 2)
    assert opened.details["host"] == "listed.example"
    assert closed.details["received"] > len("/place")
    key, result = await machine.run(*curl, machine.url("other.example"))
    assert result.status is ResultStatus.FAILED
    assert "403" in (result.message or "")
    (refused,) = await machine.door.told(key, 1)
    assert refused.details["code"] == "host_not_listed"
    assert machine.server.requests == ["/place"]


async def test_urllib_reaches_a_listed_host_and_is_told_why_it_reaches_no_other(
    machine: Machine,
) -> None:
    python = ["python3", "-c", URLLIB]
    trusted = str(machine.server.trusted)
    _, result = await machine.run(*python, machine.url("listed.example"), trusted)
    assert (result.status, result.answer) == (ResultStatus.SUCCEEDED, "/place\n"), result.message
    _, result = await machine.run(*python, machine.url("other.example"), trusted)
    assert result.status is ResultStatus.FAILED
    assert "is not in the Agent's spec.sandbox.egress.hosts" in (result.message or "")
    assert machine.server.requests == ["/place"]


async def test_no_program_sees_the_token(machine: Machine) -> None:
    _, result = await machine.run("env")
    told = dict(line.partition("=")[::2] for line in (result.answer or "").splitlines())
    assert told["HTTPS_PROXY"] == told["https_proxy"]
    assert told["HTTPS_PROXY"].startswith("http://127.0.0.1:")
    assert "127.0.0.1" in told["NO_PROXY"]
    token = await asyncio.to_thread((machine.folder / "token").read_text)
    assert token.strip() not in (result.answer or "")
    assert "COXSWAIN_EGRESS_URL" not in told
