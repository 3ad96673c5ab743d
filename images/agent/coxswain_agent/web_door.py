"""The web door's near end: a proxy on localhost that adds the pod's token and passes everything on.

Programs know it by HTTPS_PROXY. What goes through is looked at by nobody here; the platform's door at
the other end decides.
"""

import asyncio
import contextlib
import re
import ssl
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0
HEAD_SECONDS = 10.0
HEAD_BYTES = 32_768
READ_BYTES = 65_536
_END = b"\r\n\r\n"
_OWN = re.compile(rb"(?im)^proxy-authorization:.*(\r?\n)")
_UNREACHABLE = (
    b"HTTP/1.1 503 The web door does not answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
_TOO_LONG = (
    b"HTTP/1.1 431 The request is too long\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class WebDoor:
    """Serves from ``async with`` on; ``url`` is its address then."""

    def __init__(
        self, egress_url: str, token_file: Path, port: int = 0, *, tls: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(egress_url)
        self._host = parts.hostname or ""
        is_secure = parts.scheme == "https"
        self._behind = parts.port or (443 if is_secure else 80)
        self._tls: ssl.SSLContext | bool | None = (tls or True) if is_secure else None
        self._token_file = token_file
        self._port = port
        self._serving: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, limit=HEAD_BYTES
        )
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._pass_on((reader, writer))
        finally:
            writer.close()

    async def _pass_on(self, program: Streams) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await program[0].readuntil(_END)
        except asyncio.LimitOverrunError:
            program[1].write(_TOO_LONG)
            return
        try:
            head = self._with_token(head)
            async with asyncio.timeout(CONNECT_SECONDS):
                platform = await asyncio.open_connection(self._host, self._behind, ssl=self._tls)
        except OSError:
            program[1].write(_UNREACHABLE)
            return
        try:
            platform[1].write(head)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(program[0], platform[1]))
                group.create_task(_pump(platform[0], program[1]))
        except* OSError:
            # TLS inside tells a stream that broke from one that ended.
            pass
        finally:
            platform[1].close()

    def _with_token(self, head: bytes) -> bytes:
        token = self._token_file.read_text().strip()
        lines = _OWN.sub(b"", head.removesuffix(b"\r\n"))
        return lines + f"Proxy-Authorization: Bearer {token}\r\n\r\n".encode()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(READ_BYTES):
        if writer.is_closing() and not writer.can_write_eof():
            # TLS has no half of an end: a peer that has ended takes nothing more either.
            break
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()
