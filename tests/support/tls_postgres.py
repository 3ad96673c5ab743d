"""TLS before the tests' Postgres, whose own build has none: what comes over TLS is passed on to its socket."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from devtools.pki import Pair

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
READ_BYTES = 65_536


@dataclass
class TlsPostgres:
    """What clients know of it, and what it saw of them."""

    port: int = 0
    over_tls: int = 0
    """Sessions that sent anything after their TLS stood."""
    plain: list[bytes] = field(default_factory=list)
    """First words of those that asked for no TLS."""

    def dsn(self, dsn: str, host: str = "localhost", **query: str) -> str:
        """The address of a database behind it."""
        parts = urlsplit(dsn)
        login = parts.netloc.rpartition("@")[0]
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return f"postgresql://{login}@{host}:{self.port}{parts.path}?{words}"


@asynccontextmanager
async def before(admin: str, pair: Pair) -> AsyncIterator[TlsPostgres]:
    """A server on loopback with this certificate for the length of a block."""
    folder = parse_qs(urlsplit(admin).query)["host"][0]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    seen = TlsPostgres()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(len(SSL_REQUEST))
            if first != SSL_REQUEST:
                seen.plain.append(first)
            else:
                writer.write(b"S")
                await writer.start_tls(context)
                await _pass_on(seen, reader, writer, folder)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()


async def _pass_on(
    seen: TlsPostgres, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, folder: str
) -> None:
    start = await reader.read(READ_BYTES)
    if not start:
        return
    seen.over_tls += 1
    inner, outer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
    outer.write(start)
    await asyncio.wait(
        {asyncio.create_task(_pump(reader, outer)), asyncio.create_task(_pump(inner, writer))},
        return_when=asyncio.FIRST_COMPLETED,
    )
    outer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            await writer.drain()
