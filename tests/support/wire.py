"""A proxy before the API that cuts connections: at any byte of an answer, or instead of one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Wire:
    """Passes everything on, until it is told to cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._counts: deque[int] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""
        self.cuts = 0

    def cut_after(self, *counts: int) -> None:
        """Cut when so many bytes more of answers went through; 0 loses the next answer whole."""
        self._counts.extend(counts)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection of a client."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        upstream, downstream = await asyncio.open_connection("127.0.0.1", self._port)
        copies = {
            asyncio.create_task(_copy(reader, downstream)),
            asyncio.create_task(self._reply(upstream, writer)),
        }
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in copies:
                each.cancel()
            for side in (writer, downstream):
                side.transport.abort()
            self._tasks.discard(task)

    async def close(self) -> None:
        """Cut everything that is still open."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reply(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                passed = data[: self._counts[0]] if self._counts else data
                sink.write(passed)
                await sink.drain()
                if self._is_spent(len(data)):
                    return

    def _is_spent(self, size: int) -> bool:
        if not self._counts:
            return False
        self._counts[0] -= size
        if self._counts[0] > 0:
            return False
        self._counts.popleft()
        self.cuts += 1
        return True


@asynccontextmanager
async def before(url: str) -> AsyncIterator[Wire]:
    """A proxy before the API of that address."""
    wire = Wire(urlsplit(url).port or 0)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        await wire.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
