"""A proxy between operators and the API server, which keeps things from them and makes things up.

Each operator comes by an address of its own, ``between.url("one")``, so each can be treated apart.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from devtools import kubeconfig
from devtools.controlplane import ControlPlane
from devtools.pki import Pair

Event = dict[str, Any]
PASSED_ON = ("Content-Type", "Accept")
EXPIRED = {"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410}


@dataclass(frozen=True)
class Asked:
    """A request: who asks what."""

    who: str
    method: str
    path: str
    query: dict[str, str]

    @property
    def plural(self) -> str:
        """What it lists or watches."""
        return self.path.rpartition("/")[2]

    @property
    def is_watch(self) -> bool:
        """Whether it is for a stream."""
        return "watch" in self.query


@dataclass(eq=False)
class _Stream:
    """A watch under way; None in the queue ends it in order."""

    who: str
    plural: str
    lines: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)


@dataclass
class Between:
    """What it does stands in its fields, which a test sets; by themselves they change nothing."""

    upstream: str
    session: aiohttp.ClientSession
    address: str = ""
    answers: Callable[[Asked], web.Response | bytes | None] = lambda _: None
    """An answer of our own; bytes are all of a stream, which then ends in order."""
    loses: Callable[[Asked], bool] = lambda _: False
    """Whether the connection breaks in place of passing the request on."""
    delay: Callable[[Event], float] = lambda _: 0.0
    """Seconds by which an event of a watch comes late."""
    cuts: Callable[[Event], bool] = lambda _: False
    """Whether the stream ends with this event."""
    holds: bool = False
    """Whether events of watches are swallowed."""
    lost: list[Asked] = field(default_factory=list)
    patches: list[tuple[Asked, int]] = field(default_factory=list)
    """Every PATCH that was passed on, with the status of its answer."""
    streams: list[_Stream] = field(default_factory=list)

    def url(self, who: str) -> str:
        """The address for one operator."""
        return f"{self.address}/{who}"

    def kubeconfig(self, who: str, folder: Path) -> Path:
        """The same as a file, for an operator that is a process of its own."""
        return kubeconfig.write_plain(folder / f"{who}.kubeconfig", self.url(who))

    def expire(self) -> None:
        """End every watch as the server does when its place in the history is gone; hold no more."""
        self.holds = False
        for stream in self.streams:
            stream.lines.put_nowait(json.dumps({"type": "ERROR", "object": EXPIRED}).encode())
            stream.lines.put_nowait(None)
        self.streams.clear()

    def watches(self, who: str, plural: str) -> bool:
        """Whether this operator has a watch of these objects under way."""
        return any((each.who, each.plural) == (who, plural) for each in self.streams)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        _, who, path = request.path.split("/", 2)
        asked = Asked(who, request.method, f"/{path}", dict(request.query))
        if self.loses(asked):
            self.lost.append(asked)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        answer = self.answers(asked)
        if isinstance(answer, web.Response):
            return answer
        if answer is not None:
            return await _made_up(request, answer)
        return await self._pass_on(request, asked)

    async def _pass_on(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        async with self.session.request(
            asked.method,
            f"{self.upstream}{asked.path}",
            params=asked.query,
            headers=headers,
            # Without a body none: an empty one would be of a type that the API server refuses.
            data=await request.read() or None,
        ) as answer:
            if asked.is_watch and answer.status == 200:
                return await self._stream(request, answer, _Stream(asked.who, asked.plural))
            if asked.method == "PATCH":
                self.patches.append((asked, answer.status))
            kept = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _stream(
        self, request: web.Request, source: aiohttp.ClientResponse, stream: _Stream
    ) -> web.StreamResponse:
        sink = web.StreamResponse(headers={"Content-Type": "application/json"})
        await sink.prepare(request)
        self.streams.append(stream)
        reading = asyncio.create_task(self._read(source, stream))
        try:
            while (line := await stream.lines.get()) is not None:
                await sink.write(line + b"\n")
        finally:
            reading.cancel()
            if stream in self.streams:
                self.streams.remove(stream)
        await sink.write_eof()
        return sink

    async def _read(self, source: aiohttp.ClientResponse, stream: _Stream) -> None:
        rest = b""
        async for data in source.content.iter_any():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                event: Event = json.loads(line)
                if self.holds:
                    continue
                if late := self.delay(event):
                    asyncio.get_running_loop().call_later(late, stream.lines.put_nowait, line)
                else:
                    stream.lines.put_nowait(line)
                if self.cuts(event):
                    stream.lines.put_nowait(None)
                    return
        stream.lines.put_nowait(None)


async def _made_up(request: web.Request, text: bytes) -> web.StreamResponse:
    sink = web.StreamResponse(headers={"Content-Type": "application/json"})
    await sink.prepare(request)
    await sink.write(text)
    await sink.write_eof()
    return sink


@asynccontextmanager
async def between(plane: ControlPlane, account: Pair | None = None) -> AsyncIterator[Between]:
    """A proxy before the API server, with the rights of an account or else an administrator's."""
    shown = account or plane.admin
    trust = ssl.create_default_context(cafile=str(plane.ca_file))
    trust.load_cert_chain(shown.certificate, shown.key)
    connector = aiohttp.TCPConnector(ssl=trust, limit=0)
    no_end = aiohttp.ClientTimeout(total=None, sock_connect=5)
    async with aiohttp.ClientSession(connector=connector, timeout=no_end) as session:
        made = Between(plane.url, session)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{rest:.*}", made.handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield made
        finally:
            await runner.cleanup()
