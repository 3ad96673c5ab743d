"""A proxy before Postgres that loses answers: it cuts a connection instead of passing a reply on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

SOCKET = ".s.PGSQL.5432"
Judge = Callable[[bytes], bool]
Copying = Coroutine[Any, Any, None]
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Cutter:
    """Passes everything on until it is told which reply to lose, once."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._lose: Judge | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.cuts = 0

    def lose(self, judge: Judge) -> None:
        """Cut the connection in place of the first reply that the judge says yes to."""
        self._lose = judge

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection of a client."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        upstream, downstream = await asyncio.open_unix_connection(self._target)
        async with asyncio.TaskGroup() as group:
            ways = self.ways((reader, writer), (upstream, downstream))
            copies = {group.create_task(each) for each in ways}
            self._open |= copies
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
            for each in (writer, downstream):
                each.transport.abort()
        self._open -= copies

    async def close(self) -> None:
        """Cut everything that is still open."""
        for copy in tuple(self._open):
            copy.cancel()
        while self._serving:
            await asyncio.wait(tuple(self._serving))

    def ways(self, client: Ends, server: Ends) -> tuple[Copying, Copying]:
        """How one connection is copied, there and back; it ends when one of them does."""
        return _copy(client[0], server[1]), self._reply(server[0], client[1])

    async def _reply(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await read(source):
            if self._lose is not None and self._lose(data):
                self._lose = None
                self.cuts += 1
                return
            sink.write(data)
            await sink.drain()


@asynccontextmanager
async def cutting(dsn: str, folder: Path) -> AsyncIterator[tuple[str, Cutter]]:
    """The address of a proxy before that database, and the proxy."""
    parts = urlsplit(dsn)
    cutter = Cutter(Path(parts.query.removeprefix("host=")) / SOCKET)
    server = await asyncio.start_unix_server(cutter.serve, folder / SOCKET)
    try:
        yield urlunsplit(parts._replace(query=f"host={folder}")), cutter
    finally:
        server.close()
        await cutter.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await read(source):
            sink.write(data)
            await sink.drain()


async def read(source: asyncio.StreamReader) -> bytes:
    """What comes next; nothing once it has ended or broken."""
    with suppress(ConnectionError):
        return await source.read(65536)
    return b""
