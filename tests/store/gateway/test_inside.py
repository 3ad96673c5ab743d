"""An agent whose doors speak TLS: it goes to those that its installation's authority signed, and to no other."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from coxswain.api.contract import ExitCode, ResultStatus
from coxswain.store import runs
from coxswain.store.pool import Store
from coxswain.store.runs import RunKey
from devtools.pki import Authority
from tests.store.gateway.test_web_clients import NOWHERE, Machine
from tests.support import sidecar_api, web_door
from tests.support.agents import AgentProcess
from tests.support.mounted import Mounted, shown
from tests.support.postgres import Database
from tests.support.tls_server import TlsServer

HERE = "127.0.0.1"


@pytest.fixture
def mounted(pki: Path, tmp_path: Path) -> Mounted:
    return Mounted(tmp_path / "inside", Authority(pki).issue("inside", "inside", hosts=[HERE]))


@pytest.fixture
async def machine(
    database: Database, operator_store: Store, tmp_path: Path, pki: Path, mounted: Mounted
) -> AsyncIterator[Machine]:
    authority = Authority(pki)
    tls: dict[str, Any] = {
        "trusting": ssl.create_default_context(cafile=str(authority.certificate)),
        "door_certificate_file": mounted.pair.certificate,
        "door_certificate_key_file": mounted.pair.key,
    }
    folder = tmp_path / "certificates"
    await asyncio.to_thread(folder.mkdir)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TlsServer(folder))
        running = sidecar_api.running(database, operator_store, tmp_path, **tls)
        api = await stack.enter_async_context(running)
        door = web_door.running(database, cluster=api.cluster, **tls)
        opened = await stack.enter_async_context(door)
        more = {"ca_file": authority.certificate}
        yield Machine(tmp_path, api, opened, server, operator_store, more)


async def test_an_agent_comes_over_tls_and_goes_out_by_the_web_door(machine: Machine) -> None:
    assert machine.api.url.startswith("https://")
    assert machine.door.url.startswith("https://")
    curl = ["curl", "--silent", "--show-error", "--cacert", str(machine.server.trusted)]
    key, result = await machine.run(*curl, machine.url("listed.example"))
    assert (result.status, result.answer) == (ResultStatus.SUCCEEDED, "/place"), result.message
    _, closed = await machine.door.told(key, 2)
    assert closed.details["outcome"] == "done"
    assert closed.details["received"] > len("/place")
    _, refused = await machine.run(*curl, machine.url("other.example"))
    assert "403" in (refused.message or "")


async def test_much_comes_through_whole(machine: Machine) -> None:
    curl = ["curl", "--silent", "--cacert", str(machine.server.trusted), "--output", "large"]
    place = machine.url("listed.example").replace("/place", "/large")
    _, result = await machine.run("sh", "-c", f"{' '.join(curl)} {place} && wc -c < large")
    assert (result.answer or "").strip() == "1000000"


async def test_nobody_is_served_who_comes_in_the_clear(machine: Machine) -> None:
    for url in (machine.api.url, machine.door.url):
        with pytest.raises(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session:
                await session.get(url.replace("https:", "http:"))


@pytest.mark.parametrize("arguments", [(), ("door",)])
@pytest.mark.parametrize("wrong", ["signer", "name"])
async def test_a_door_that_another_signed_or_of_another_name_gets_no_token(
    machine: Machine, mounted: Mounted, pki: Path, arguments: tuple[str, ...], wrong: str
) -> None:
    by = Authority(machine.folder / "another") if wrong == "signer" else Authority(pki)
    hosts = [HERE] if wrong == "signer" else ["other.example"]
    pair = await asyncio.to_thread(by.issue, "wrong", "wrong", (), hosts)
    mounted.put(pair.certificate.read_bytes(), pair.key.read_bytes())
    port = int(machine.api.url.rpartition(":")[2])
    async with asyncio.timeout(10):
        while await shown(port) != pair.certificate.read_bytes():  # noqa: ASYNC110 - a task does it
            await asyncio.sleep(0.05)
    new, pod = await machine.api.opened()
    run = f"{new.key.job_uid}/{new.key.attempt}"
    extra = {**machine.more, "claim_seconds": 1, "web_door_port": 0}
    token = machine.api.cluster.token(pod)
    agent = AgentProcess(machine.folder, machine.api.url, NOWHERE, run, extra, token)
    agent.arguments = arguments
    code, said = await agent.finish()
    assert code == ExitCode.UNREACHABLE, said


async def test_beside_an_image_of_its_own_the_door_comes_over_tls(machine: Machine) -> None:
    new, pod = await machine.api.opened()
    run = f"{new.key.job_uid}/{new.key.attempt}"
    token = machine.api.cluster.token(pod)
    extra = {**machine.more, "web_door_port": 0}
    agent = AgentProcess(machine.folder, machine.api.url, NOWHERE, run, extra, token)
    agent.arguments = ("door",)
    await agent.start()
    try:
        async with asyncio.timeout(20):
            while not await _is_claimed(machine, new.key):  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.05)
    finally:
        agent.kill()
        await agent.wait()


async def _is_claimed(machine: Machine, key: RunKey) -> bool:
    found = await machine.operator.run(runs.of, key)
    return found is not None and found.claimed_at is not None


async def test_who_never_says_hello_to_the_web_door_shuts_out_few(
    database: Database, pki: Path, mounted: Mounted
) -> None:
    given: dict[str, Any] = {
        "door_certificate_file": mounted.pair.certificate,
        "door_certificate_key_file": mounted.pair.key,
        "egress_connections": 2,
        "egress_connections_per_run": 1,
        "trusting": ssl.create_default_context(cafile=str(Authority(pki).certificate)),
    }
    async with web_door.running(database, **given) as door:
        silent = [await asyncio.open_connection(HERE, door.port) for _ in range(2)]
        reader, writer = await asyncio.open_connection(HERE, door.port)
        async with asyncio.timeout(2):
            assert await reader.read() == b""
        writer.close()
        for _, each in silent:
            each.close()
        async with asyncio.timeout(5):
            while not await _is_answered(door):  # noqa: ASYNC110 - the door sees them go
                await asyncio.sleep(0.02)


async def _is_answered(door: web_door.WebDoor) -> bool:
    """Whether a new connection is served: without a token it is refused in words."""
    try:
        return (await door.connect("listed.example:443", None)).answer.status == 407
    except (OSError, asyncio.IncompleteReadError):
        return False
