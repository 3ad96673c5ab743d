"""The web door's near end: the token is added, bytes stream both ways, ends are honest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coxswain_agent.web_door import WebDoor


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("one\n")
    return file


class Platform:
    """The far end: keeps what came, answers, and echoes until it is told to end."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 Fine\r\n\r\n")
        while data := await reader.read(1000):
            writer.write(data.upper())
        writer.write(b"!")
        writer.close()


async def asked(url: str, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(request)
    return reader, writer


CONNECT = b"CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n"


async def test_each_connection_gets_the_token_of_this_moment(token: Path) -> None:
    platform = Platform()
    own = b"proxy-authorization: Basic mine\r\n"
    async with platform.serving() as url, WebDoor(url, token) as door:
        for text in ("one", "two"):
            await asyncio.to_thread(token.write_text, text)
            reader, writer = await asked(door.url, CONNECT + own + b"X-Own: kept\r\n\r\nearly")
            writer.write_eof()
            assert await reader.read() == b"HTTP/1.1 200 Fine\r\n\r\nEARLY!"
            writer.close()
    kept = CONNECT + b"X-Own: kept\r\nProxy-Authorization: Bearer "
    assert platform.heads == [kept + b"one\r\n\r\n", kept + b"two\r\n\r\n"]


async def test_bytes_stream_both_ways_and_each_side_may_end_first(token: Path) -> None:
    async with Platform().serving() as url, WebDoor(url, token) as door:
        reader, writer = await asked(door.url, CONNECT + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        for word in (b"a", b"bc"):
            writer.write(word)
            assert await reader.readexactly(len(word)) == word.upper()
        writer.write_eof()
        assert await reader.read() == b"!"
        writer.close()


async def test_a_platform_that_is_away_is_said(token: Path) -> None:
    async with WebDoor("http://127.0.0.1:9", token) as door:
        reader, writer = await asked(door.url, CONNECT + b"\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 503 The web door does not answer")
        writer.close()


async def test_a_head_without_end_is_refused(token: Path) -> None:
    async with WebDoor("http://127.0.0.1:9", token) as door:
        reader, writer = await asked(door.url, CONNECT + b"X: " + b"x" * 100_000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 431")
        writer.close()


async def test_it_ends_with_what_goes_through(token: Path) -> None:
    async with Platform().serving() as url:
        async with WebDoor(url, token) as door:
            reader, writer = await asked(door.url, CONNECT + b"\r\n")
            await reader.readuntil(b"\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
