"""A client of HTTP that costs little: a connection, and on it one request after the other."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from typing_extensions import override

END = b"\r\n\r\n"
LENGTH = b"content-length:"


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


def request(method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """The bytes of a request; a body is JSON."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class Line(asyncio.Protocol):
    """One connection. Answers have to say their length, as ours do."""

    def __init__(self) -> None:
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, url: str) -> "Line":
        """Connect to the server of a URL."""
        place = urlsplit(url)
        assert place.hostname is not None
        assert place.port is not None
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(cls, place.hostname, place.port)
        return line

    async def ask(self, wanted: bytes) -> Answer:
        """Send a whole request and wait for its whole answer. Raises ConnectionError."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(wanted)
        return await self._waiting

    def close(self) -> None:
        """Go away."""
        if self._transport is not None:
            self._transport.abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("the server has closed the line"))

    @override
    def data_received(self, data: bytes) -> None:
        self._rest += data
        end = self._rest.find(END)
        if end < 0:
            return
        head = self._rest[:end].lower()
        whole = end + len(END) + _length(head)
        if len(self._rest) < whole:
            return
        found = Answer(int(head.split(b" ", 2)[1]), self._rest[end + len(END) : whole])
        self._rest = self._rest[whole:]
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(found)


def _length(head: bytes) -> int:
    """Of the body. Raises AssertionError where the answer does not say it."""
    at = head.find(LENGTH)
    if at >= 0:
        return int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0])
    assert head.split(b" ", 2)[1] in (b"204", b"304"), head
    return 0
