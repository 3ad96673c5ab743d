"""What a server does with too many connections, with bodies that do not come, and with peers that take nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from coxswain.errors import ConfigurationError
from coxswain.rules.permissions import Permission, Who
from coxswain.web import listening, reading, server
from coxswain.web.routes import Call, route
from tests.unit.web.test_strangers import HERE, Nobody


@asynccontextmanager
async def serving(most: int) -> AsyncIterator[int]:
    app = server.build("strange", "Strange", [], Nobody())
    async with server.serving(app, HERE, 0, most_connections=most) as port:
        yield port


async def test_a_connection_too_many_is_answered_503_and_the_others_are_served() -> None:
    async with serving(2) as port:
        opened = [await asyncio.open_connection(HERE, port) for _ in range(2)]
        for reader, writer in opened:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"401" in await reader.readline()
        reader, writer = await asyncio.open_connection(HERE, port)
        assert await reader.read() == listening.FULL
        writer.close()
        opened[0][1].close()
        await opened[0][1].wait_closed()
        async with asyncio.timeout(5):
            while True:
                reader, writer = await asyncio.open_connection(HERE, port)
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                line = await reader.readline()
                writer.close()
                if b"401" in line:
                    break
        opened[1][1].close()


async def test_a_port_that_is_taken_is_a_wrong_configuration() -> None:
    async with serving(2) as port:
        app = server.build("strange", "Strange", [], Nobody())
        with pytest.raises(ConfigurationError, match=f"port {port} cannot be opened"):
            async with server.serving(app, HERE, port):
                pass


async def test_a_peer_that_takes_nothing_is_cut_by_the_kernel_after_a_while() -> None:
    found: list[int] = []

    async def look(request: web.Request) -> web.Response:
        assert request.transport is not None
        peer = request.transport.get_extra_info("socket")
        found.append(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", look)
    async with server.serving(app, HERE, 0) as port:
        reader, writer = await asyncio.open_connection(HERE, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()
        writer.close()
    assert found == [listening.UNREAD_SECONDS * 1000]


class Small:
    @route("PUT", "/v1/small", open=True)
    async def put_small(self, call: Call, content: bytes) -> None:
        """Take some bytes."""


@pytest.mark.parametrize(
    ("bytes_per_second", "status"), [(1, b"204"), (1_000_000, b"408")], ids=["in time", "slow"]
)
async def test_a_body_that_comes_too_slowly_is_408_and_one_that_keeps_pace_is_read(
    bytes_per_second: int, status: bytes
) -> None:
    table = {"PUT /v1/small": Permission(Who.ANYBODY)}
    app = server.build("test", "x", [Small()], Nobody(), table)
    app[reading.PACE] = reading.Pace(0.3, bytes_per_second)
    async with server.serving(app, HERE, 0, drain_seconds=0.2) as port:
        reader, writer = await asyncio.open_connection(HERE, port)
        writer.write(b"PUT /v1/small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12")
        # What has come has its time: 0.3 s, and 2 s for two bytes where a byte gives a second.
        loop = asyncio.get_running_loop()
        for seconds, part in ((0.5, b"34"), (0.7, b"5")):
            loop.call_later(seconds, writer.write, part)
        line = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
    assert status in line
