"""An amount of bytes per run: no more goes through, whichever replica of the web door it asks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coxswain.api.egress import EgressHost
from coxswain.store import egress_amounts
from coxswain.store.pool import Store
from tests.support import rows, web_door
from tests.support.postgres import Database, opened
from tests.support.tls_server import TlsServer
from tests.support.web_door import Tunnel, WebDoor

NAME = "listed.example"
MOST = 400_000


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TlsServer]:
    async with TlsServer(tmp_path) as running:
        yield running


@pytest.fixture
async def replicas(module_database: Database) -> AsyncIterator[tuple[WebDoor, WebDoor]]:
    async with (
        web_door.running(module_database) as one,
        web_door.running(module_database, cluster=one.cluster) as other,
    ):
        yield one, other


async def read_all(tunnel: Tunnel) -> int:
    """How many bytes of a megabyte come through before the connection breaks."""
    seen = 0
    tunnel.writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    with contextlib.suppress(OSError):
        async with asyncio.timeout(web_door.SECONDS):
            while data := await tunnel.reader.read(65_536):
                seen += len(data)
    return seen


async def test_a_run_is_cut_at_its_bytes_and_gets_no_other_connection_at_any_replica(
    replicas: tuple[WebDoor, WebDoor], server: TlsServer
) -> None:
    one, other = replicas
    target = f"{NAME}:{server.port}"
    key, token = await one.claimed(EgressHost(host=NAME, port=server.port), most=MOST)
    seen = 0
    for door in (one, other):
        tunnel = await door.connect(target, token)
        if tunnel.answer.status == 200:
            await tunnel.secure(server.client(), NAME)
            seen += await read_all(tunnel)
    assert MOST / 2 < seen < MOST
    for door in (one, other):
        refused = (await door.connect(target, token)).answer
        assert (refused.status, refused.body["code"]) == (403, "egress_bytes_used_up")
        assert "spec.sandbox.egress.bytesPerRun" in refused.line
    told = await one.told(key, 4)
    closed = [each.details for each in told if each.type == "run.egress.closed"]
    assert closed[0]["outcome"] == "egress_bytes_used_up"
    assert sum(each["sent"] + each["received"] for each in closed) <= MOST
    assert {each.details["code"] for each in told if each.type == "run.egress.refused"} == {
        "egress_bytes_used_up"
    }


async def test_the_bytes_of_one_run_are_not_those_of_another(
    replicas: tuple[WebDoor, WebDoor], server: TlsServer
) -> None:
    door, _ = replicas
    host = EgressHost(host=NAME, port=server.port)
    for most in (MOST, None):
        _, token = await door.claimed(host, most=most)
        tunnel = await door.connect(f"{NAME}:{server.port}", token)
        await tunnel.secure(server.client(), NAME)
        seen = await read_all(tunnel) if most is not None else len(await tunnel.get("/large"))
        assert (seen == 1_000_000) is (most is None)


async def test_grants_at_the_same_time_come_to_the_whole_and_no_more(database: Database) -> None:
    key, most = rows.new_run().key, 1_000_003
    async with opened(database.gateway) as one, opened(database.gateway) as other:

        async def take_all(store: Store) -> int:
            got = 0
            while granted := await store.run(egress_amounts.grant, key, 4096, most):
                got += granted
            return got

        got = await asyncio.gather(*(take_all(each) for each in (one, other) * 8))
        assert sum(got) == most
        assert await one.run(egress_amounts.grant, key, 1, most) == 0
