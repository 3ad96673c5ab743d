"""The web door: who may go out, where to, and what the log says about it. Nothing else gets through."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from coxswain.api.egress import EgressHost
from coxswain.store import runs
from coxswain.store.pool import Store
from tests.store.test_connections import ended, opened
from tests.support import hellos, rows, web_door
from tests.support.postgres import Database
from tests.support.tls_server import TlsServer
from tests.support.web_door import WebDoor

NAME = "listed.example"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
async def server(certificates: Path) -> AsyncIterator[TlsServer]:
    async with TlsServer(certificates) as running:
        yield running


@pytest.fixture
async def door(module_database: Database) -> AsyncIterator[WebDoor]:
    async with web_door.running(module_database) as running:
        yield running


def listed(server: TlsServer, host: str = NAME) -> EgressHost:
    return EgressHost(host=host, port=server.port)


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "bearer"])
async def test_a_listed_host_is_reached_and_what_went_through_is_told(
    door: WebDoor, server: TlsServer, scheme: str
) -> None:
    key, token = await door.claimed(listed(server))
    tunnel = await door.connect(f"{NAME}:{server.port}", token, scheme=scheme)
    assert tunnel.answer.status == 200
    await tunnel.secure(server.client(), NAME)
    assert await tunnel.get("/path") == b"/path"
    assert len(await tunnel.get("/large")) == 1_000_000
    tunnel.writer.close()
    opened, closed = await door.told(key, 2)
    assert (opened.type, closed.type) == ("run.egress.opened", "run.egress.closed")
    assert (opened.actor, opened.attempt, opened.name) == ("agent:team/reader", 1, "first")
    place = {"host": NAME, "port": server.port}
    assert opened.details == place | {"address": "127.0.0.1"}
    assert closed.details.items() >= (place | {"connection": str(opened.id)}).items()
    assert 1_000_000 < closed.details["received"] < 1_100_000
    assert 500 < closed.details["sent"] < 10_000


async def test_names_below_a_wildcard_are_reached(door: WebDoor, server: TlsServer) -> None:
    _, token = await door.claimed(listed(server, "*.below.example"))
    tunnel = await door.connect(f"A.below.Example.:{server.port}", token)
    await tunnel.secure(server.client(), "a.below.example")
    assert await tunnel.get("/x") == b"/x"


async def test_an_address_is_reached_where_agent_and_installation_list_it(
    door: WebDoor, server: TlsServer
) -> None:
    _, token = await door.claimed(listed(server, "127.0.0.1"))
    door.names["127.0.0.1"] = ["127.0.0.1"]
    tunnel = await door.connect(f"127.0.0.1:{server.port}", token)
    await tunnel.secure(server.client(), "127.0.0.1")
    assert await tunnel.get("/x") == b"/x"


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("other.example:{port}", 403, "host_not_listed"),
        ("listed.example:443", 403, "host_not_listed"),
        ("x.listed.example:{port}", 403, "host_not_listed"),
        ("localhost:{port}", 403, "host_not_listed"),
        ("127.0.0.1:{port}", 403, "host_not_listed"),
        ("[::1]:{port}", 403, "host_not_listed"),
        ("2130706433:{port}", 403, "host_not_listed"),
        ("0x7f.1:{port}", 403, "host_not_listed"),
        ("private.example:{port}", 403, "address_refused"),
        ("mixed.example:{port}", 403, "address_refused"),
        ("192.0.2.9:{port}", 403, "address_refused"),
        ("nowhere.example:{port}", 502, "no_address"),
        ("listed.example:1", 502, "unreachable"),
    ],
)
async def test_everything_else_is_refused_and_no_connection_arrives(
    door: WebDoor, server: TlsServer, target: str, status: int, code: str
) -> None:
    hosts = [
        listed(server, host)
        for host in (NAME, "private.example", "mixed.example", "nowhere.example", "192.0.2.9")
    ]
    key, token = await door.claimed(*hosts, EgressHost(host=NAME, port=1))
    door.names |= {
        "private.example": ["127.0.0.2"],
        "mixed.example": ["127.0.0.1", "10.0.0.1"],
        "192.0.2.9": ["192.0.2.9"],
    }
    tunnel = await door.connect(target.format(port=server.port), token)
    assert (tunnel.answer.status, tunnel.answer.body["code"]) == (status, code)
    assert tunnel.answer.body["message"] == tunnel.answer.line
    assert tunnel.answer.body["requestId"]
    assert server.arrivals == 0
    (refused,) = await door.told(key, 1)
    assert (refused.type, refused.details["code"]) == ("run.egress.refused", code)


async def test_an_agent_that_lists_nothing_reaches_nothing(
    door: WebDoor, server: TlsServer
) -> None:
    _, token = await door.claimed()
    tunnel = await door.connect(f"{NAME}:{server.port}", token)
    assert tunnel.answer.body["code"] == "host_not_listed"
    assert "spec.sandbox.egress.hosts" in tunnel.answer.line


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (hellos.hello("other.example"), "server_name_mismatch"),
        (hellos.hello("listed.example.evil.example"), "server_name_mismatch"),
        (hellos.hello(None), "server_name_mismatch"),
        (b"GET / HTTP/1.1\r\nHost: listed.example\r\n\r\n", "tls_required"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "tls_required"),
    ],
)
@pytest.mark.parametrize("is_early", [True, False])
async def test_not_a_byte_goes_out_unless_tls_asks_for_the_same_name(
    door: WebDoor, server: TlsServer, words: bytes, code: str, *, is_early: bool
) -> None:
    seen: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())
        writer.close()

    trap = await asyncio.start_server(take, "127.0.0.1", 0)
    async with trap:
        port = trap.sockets[0].getsockname()[1]
        key, token = await door.claimed(EgressHost(host=NAME, port=port))
        target = f"{NAME}:{port}"
        tunnel = await door.connect(target, token, early=words if is_early else b"")
        tunnel.writer.write(b"" if is_early else words)
        assert (await tunnel.ended())[:1] == b"\x15"
        (refused,) = await door.told(key, 1)
    assert refused.details["code"] == code
    assert b"".join(seen) == b""


async def test_a_client_learns_of_the_wrong_name_by_an_alert(
    door: WebDoor, server: TlsServer
) -> None:
    _, token = await door.claimed(listed(server))
    tunnel = await door.connect(f"{NAME}:{server.port}", token)
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        await tunnel.secure(server.client(), "other.example")
    assert server.requests == []


async def test_who_has_no_open_run_is_not_served(door: WebDoor, server: TlsServer) -> None:
    target = f"{NAME}:{server.port}"
    _, unclaimed = await door.opened(listed(server))
    closed, over = await door.claimed(listed(server))
    await door.operator.transact(runs.close_run, closed, "Succeeded", knows_result=True)
    stranger = door.cluster.token(rows.pod(), aud=["somebody-else"])
    tried = {
        "token_missing": None,
        "token_invalid": "nonsense",
        "token_audience": stranger,
        "run_unclaimed": door.cluster.token(unclaimed),
        "run_closed": over,
    }
    said = {code: (await door.connect(target, token)).answer for code, token in tried.items()}
    assert {code: answer.body["code"] for code, answer in said.items()} == {c: c for c in tried}
    assert [answer.status for answer in said.values()] == [407, 407, 407, 403, 403]
    assert said["token_missing"].headers["proxy-authenticate"].startswith("Basic")
    assert server.arrivals == 0


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (
            b"GET http://listed.example/ HTTP/1.1\r\nHost: listed.example\r\n\r\n",
            405,
            "connect_only",
        ),
        (b"GET / HTTP/1.1\r\nHost: listed.example\r\n\r\n", 405, "connect_only"),
        (b"CONNECT listed.example HTTP/1.1\r\nHost: x\r\n\r\n", 400, "target_invalid"),
        (b"CONNECT ::1:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "target_invalid"),
        (b"CONNECT a\tb:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed"),
        (b"\x16\x03\x01\x02\x00\x01" + b"x" * 40 + b"\r\n\r\n", 400, "malformed"),
        (b"GET /" + b"x" * 100_000, 400, "malformed"),
    ],
)
async def test_a_request_that_is_not_served_says_what_to_do(
    door: WebDoor, request_: bytes, status: int, code: str
) -> None:
    tunnel = await door.send(request_)
    assert (tunnel.answer.status, tunnel.answer.body["code"]) == (status, code)
    if code == "connect_only":
        assert "https://" in tunnel.answer.line


async def test_a_run_that_is_over_loses_its_connections(door: WebDoor, server: TlsServer) -> None:
    key, token = await door.claimed(listed(server))
    _, other = await door.claimed(listed(server))
    tunnels = [await door.connect(f"{NAME}:{server.port}", each) for each in (token, other)]
    for each in tunnels:
        await each.secure(server.client(), NAME)
    await door.operator.transact(runs.close_run, key, "Cancelled", knows_result=True)
    await tunnels[0].ended()
    *_, closed = await door.told(key, 2)
    assert closed.details["outcome"] == "run_closed"
    assert await tunnels[1].get("/still") == b"/still"


async def test_a_silent_connection_is_cut(module_database: Database, server: TlsServer) -> None:
    async with web_door.running(module_database, egress_idle_seconds=0.2) as door:
        key, token = await door.claimed(listed(server))
        tunnel = await door.connect(f"{NAME}:{server.port}", token)
        await tunnel.secure(server.client(), NAME)
        await tunnel.ended()
        *_, closed = await door.told(key, 2)
    assert closed.details["outcome"] == "idle"


async def test_a_connection_has_a_time_in_all(module_database: Database, server: TlsServer) -> None:
    async with web_door.running(
        module_database, egress_idle_seconds=0.3, egress_total_seconds=0.3
    ) as door:
        key, token = await door.claimed(listed(server))
        tunnel = await door.connect(f"{NAME}:{server.port}", token)
        await tunnel.secure(server.client(), NAME)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await tunnel.get("/busy")
        *_, closed = await door.told(key, 2)
    assert closed.details["outcome"] == "time_up"


async def test_one_run_takes_no_more_than_its_places(
    module_database: Database, server: TlsServer
) -> None:
    async with web_door.running(module_database, egress_connections_per_run=2) as door:
        _, token = await door.claimed(listed(server))
        _, other = await door.claimed(listed(server))
        target = f"{NAME}:{server.port}"
        held = [await door.connect(target, token) for _ in range(2)]
        assert [each.answer.status for each in held] == [200, 200]
        refused = await door.connect(target, token)
        assert (refused.answer.status, refused.answer.body["code"]) == (429, "too_many_connections")
        assert (await door.connect(target, other)).answer.status == 200
        for each in held:
            each.writer.close()
        async with asyncio.timeout(web_door.SECONDS):
            while (await door.connect(target, token)).answer.status != 200:
                pass


async def test_a_process_that_ends_tells_of_the_connections_it_cut(
    module_database: Database, server: TlsServer
) -> None:
    async with web_door.running(module_database) as door:
        key, token = await door.claimed(listed(server))
        tunnel = await door.connect(f"{NAME}:{server.port}", token)
        await tunnel.secure(server.client(), NAME)
    async with web_door.running(module_database) as door:
        *_, closed = await door.told(key, 2)
    assert closed.details["outcome"] == "gateway_ended"


async def test_what_a_killed_gateway_left_open_another_one_closes(
    database: Database, operator_store: Store, gateway_store: Store
) -> None:
    new = rows.new_run(document={"egress": [EgressHost(host=NAME)]})
    await operator_store.transact(runs.open_run, new)
    (connection,) = await opened(gateway_store, new.key)
    await ended(database, new.key, timedelta(minutes=5))
    async with web_door.running(database) as other:
        _, closed = await other.told(new.key, 2)
    assert (closed.type, closed.actor) == ("run.egress.closed", "agent:team/reader")
    assert (closed.details["connection"], closed.details["outcome"]) == (connection, "gateway_lost")
