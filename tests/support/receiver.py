"""A receiver of callbacks on loopback that answers as it is told, and remembers what came."""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias

from aiohttp import web
from standardwebhooks.webhooks import Webhook

from tests.support import waiting


@dataclass(frozen=True)
class Say:
    """Answer with a status."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Drop:
    """Take it, and lose the answer."""


@dataclass(frozen=True)
class Hang:
    """Take it, and never answer."""


@dataclass(frozen=True)
class Flood:
    """Answer with 200 and a body without end."""


Step: TypeAlias = Say | Drop | Hang | Flood


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """What a receiver tells repeats by."""
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> None:
        """As the published implementation does. Raises where it does not hold."""
        Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Serves while it is entered; answers 200 where nothing else was said."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self._script: deque[Step] = deque()
        self._always: Step = Say()
        self._tls = tls
        self._told = asyncio.Event()

    def will(self, *steps: Step) -> None:
        """Answer the next requests like this."""
        self._script.extend(steps)

    def always(self, step: Step) -> None:
        """Answer like this where nothing else was said."""
        self._always = step

    def release(self) -> None:
        """Let everything that hangs be answered."""
        self._told.set()

    async def has(self, count: int) -> list[Received]:
        """What came, once it is so much."""
        await waiting.until(lambda: len(self.received) >= count)
        return self.received

    @property
    def ids(self) -> list[str]:
        """Of everything that came, in its order."""
        return [each.id for each in self.received]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._told.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.path_qs, headers, await request.read()))
        step = self._script.popleft() if self._script else self._always
        match step:
            case Say():
                return web.Response(status=step.status, headers=step.headers, body=step.body)
            case Drop():
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case Hang():
                await self._told.wait()
                return web.Response()
            case Flood():
                return await self._flood(request)

    async def _flood(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not self._told.is_set():
            await response.write(b"x" * 65_536)
        return response
