"""A TLS server of a test's own on loopback, with a certificate that a test's own authority signed."""

import asyncio
import ssl
from pathlib import Path
from types import TracebackType
from typing import Self

from devtools.pki import Authority

NAMES = ("listed.example", "other.example", "a.below.example")


class TlsServer:
    """Answers each request with its path; /hang is answered by half, /large by a megabyte."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        pair = authority.issue("server", "server", hosts=[*NAMES, "127.0.0.1"])
        self.trusted = authority.certificate
        self.port = 0
        self.arrivals = 0
        self.requests: list[str] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self._context.set_alpn_protocols(["http/1.1"])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        closing = (each.wait_closed() for each in self._writers)
        await asyncio.gather(*closing, return_exceptions=True)

    def client(self) -> ssl.SSLContext:
        """The context of a client that trusts it."""
        return ssl.create_default_context(cafile=str(self.trusted))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals += 1
        self._writers.append(writer)
        try:
            await writer.start_tls(self._context)
            while line := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                path = line.split()[1].decode()
                self.requests.append(path)
                await _answer(writer, path)
        except (OSError, ssl.SSLError):
            return
        finally:
            writer.close()


async def _answer(writer: asyncio.StreamWriter, path: str) -> None:
    body = b"x" * 1_000_000 if path == "/large" else path.encode()
    length = len(body) + (path == "/hang")
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body)
    await writer.drain()
