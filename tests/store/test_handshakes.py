"""Connections over TLS are bounded like others, in number and in memory, from their first moment on."""

import asyncio
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from coxswain.web import listening, server
from coxswain.web.certificates import Certificate, Pair
from coxswain.web.server import Opening
from devtools.pki import Authority

HERE = "127.0.0.1"
MOST = 3
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True)
class Ports:
    """Both ports of a server that echoes what is put, and who its peers trust."""

    plain: int
    secured: int
    trusted: ssl.SSLContext

    async def silent(self) -> asyncio.StreamWriter:
        """A connection that never says hello."""
        return (await asyncio.open_connection(HERE, self.secured))[1]

    async def is_closed_unasked(self) -> bool:
        """Whether a new connection over TLS ends before it has said anything."""
        reader, writer = await asyncio.open_connection(HERE, self.secured)
        try:
            async with asyncio.timeout(0.3):
                return await reader.read() == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        finally:
            writer.close()

    async def status(self) -> bytes:
        """What the plain port says first."""
        reader, writer = await asyncio.open_connection(HERE, self.plain)
        writer.write(REQUEST)
        try:
            return await reader.readline()
        finally:
            writer.close()


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@pytest_asyncio.fixture
async def ports(pki: Path) -> AsyncIterator[Ports]:
    authority = Authority(pki)
    made = authority.issue("shaken", "shaken", hosts=[HERE])
    certificate = Certificate(Pair(made.certificate, made.key))
    app = web.Application(client_max_size=2**22)
    app.router.add_put("/", echo)
    wanted = [Opening(0), Opening(0, certificate.context)]
    trusted = ssl.create_default_context(cafile=str(authority.certificate))
    async with server.serving_all(app, HERE, wanted, drain_seconds=0.1, most_connections=MOST) as (
        plain,
        secured,
    ):
        yield Ports(plain, secured, trusted)


async def has_room(ports: Ports) -> bool:
    async with asyncio.timeout(5):
        while b"503" in await ports.status():  # noqa: ASYNC110 - the server sees them go
            await asyncio.sleep(0.02)
    return True


async def test_who_never_says_hello_takes_a_place_until_it_goes(ports: Ports) -> None:
    assert b"405" in await ports.status()
    silent = [await ports.silent() for _ in range(MOST)]
    assert await ports.is_closed_unasked()
    assert await ports.status() == listening.FULL.partition(b"\n")[0] + b"\n"
    for each in silent:
        each.close()
    assert await has_room(ports)
    assert not await ports.is_closed_unasked()


async def test_a_handshake_that_fails_gives_its_place_back(ports: Ports) -> None:
    for _ in range(2 * MOST):
        reader, writer = await asyncio.open_connection(HERE, ports.secured)
        writer.write(REQUEST)
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
    assert await has_room(ports)
    assert not await ports.is_closed_unasked()


async def test_one_that_shook_hands_is_counted_once_and_takes_what_is_large(ports: Ports) -> None:
    large = bytes(range(256)) * 4096
    async with aiohttp.ClientSession(f"https://{HERE}:{ports.secured}") as session:
        async with session.put("/", data=large, ssl=ports.trusted) as answer:
            assert await answer.read() == large
        silent = [await ports.silent() for _ in range(MOST - 1)]
        assert await ports.is_closed_unasked()
        silent.pop().close()
        assert await has_room(ports)
        async with session.put("/", data=b"again", ssl=ports.trusted) as answer:
            assert await answer.read() == b"again"
    for each in silent:
        each.close()


@pytest.mark.parametrize("is_shaken", [False, True])
async def test_a_connection_over_tls_costs_little_memory(pki: Path, is_shaken: bool) -> None:
    authority, count = Authority(pki), 30
    made = authority.issue("light", "light", hosts=[HERE])
    certificate = Certificate(Pair(made.certificate, made.key))
    trusted = ssl.create_default_context(cafile=str(authority.certificate))
    tls = trusted if is_shaken else None
    app = web.Application()
    wanted = [Opening(0, certificate.context)]
    async with server.serving_all(app, HERE, wanted, drain_seconds=0.1) as (port,):
        tracemalloc.start(10)
        try:
            before = tracemalloc.take_snapshot()
            opened = [await asyncio.open_connection(HERE, port, ssl=tls) for _ in range(count)]
            await asyncio.sleep(0.1)
            after = tracemalloc.take_snapshot()
        finally:
            tracemalloc.stop()
        # Of the other end, which is in this process too, nothing is counted.
        ours = [tracemalloc.Filter(True, listening.__file__, all_frames=True)]
        for _, writer in opened:
            writer.transport.abort()
    found = after.filter_traces(ours).compare_to(before.filter_traces(ours), "filename")
    assert found
    assert sum(each.size_diff for each in found) < count * 65_536
