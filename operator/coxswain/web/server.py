"""Runs servers: opens their ports, and on the way down lets requests end first."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from aiohttp import web

from coxswain.rules.permissions import TABLE, Permission
from coxswain.web import limiting, middleware, openapi, page, probes, routes
from coxswain.web.listening import MOST_CONNECTIONS, Ports, listening
from coxswain.web.routes import Gate, Route

DRAIN_SECONDS = 10.0
KEEPALIVE_SECONDS = 75.0
OPENAPI = "/v1/openapi.json"
Handler = Callable[[web.Request], Awaitable[web.Response]]
NAME: web.AppKey[str] = web.AppKey("name", str)
STOPPING: web.AppKey[asyncio.Event] = web.AppKey("stopping", asyncio.Event)


def build(
    name: str,
    title: str,
    handlers: Sequence[object],
    gate: Gate,
    permissions: Mapping[str, Permission] = TABLE,
    *,
    documents: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
) -> web.Application:
    """A server with these handlers' routes; ``name`` labels its metrics.

    ``documents`` stand at their paths beside openapi.json, for everybody who may read that. Raises
    TypeError for a route that has no row in ``permissions``.
    """
    app = web.Application(middlewares=[probes.dropped(name), middleware.observe(name)])
    app[NAME] = name
    app[STOPPING] = asyncio.Event()
    found = [route for handler in handlers for route in routes.of(handler, permissions)]
    _unique(found)
    app.on_shutdown.append(_stop)
    document = openapi.document(title, found)
    _describe(app, page.of(document), gate)
    for path, each in {OPENAPI: document, **documents}.items():
        app.router.add_get(path, _shown(path, each, gate))
    routes.add(app, found, gate)
    return app


@dataclass(frozen=True)
class Opening:
    """A port to open, plain or over TLS."""

    port: int
    tls: ssl.SSLContext | None = None


@asynccontextmanager
async def serving(
    app: web.Application,
    host: str,
    port: int,
    *,
    drain_seconds: float = DRAIN_SECONDS,
    keepalive_seconds: float = KEEPALIVE_SECONDS,
    most_connections: int = MOST_CONNECTIONS,
) -> AsyncIterator[int]:
    """Listen for the length of a block; gives the port that was really opened.

    A connection on which no whole head of a request comes for ``keepalive_seconds`` is closed, and one
    beyond ``most_connections``, on all ports together, at once.
    """
    wanted = [Opening(port)]
    async with serving_all(
        app,
        host,
        wanted,
        drain_seconds=drain_seconds,
        keepalive_seconds=keepalive_seconds,
        most_connections=most_connections,
    ) as ports:
        yield ports[0]


@asynccontextmanager
async def serving_all(
    app: web.Application,
    host: str,
    wanted: Sequence[Opening],
    *,
    drain_seconds: float = DRAIN_SECONDS,
    keepalive_seconds: float = KEEPALIVE_SECONDS,
    most_connections: int = MOST_CONNECTIONS,
) -> AsyncIterator[list[int]]:
    """The same on several ports."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=drain_seconds,
        keepalive_timeout=keepalive_seconds,
    )
    await runner.setup()
    try:
        name = app.get(NAME, "health")
        taken = Ports(cast("web.Server", runner.server), name, most_connections)
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(listening(taken, (host, each.port), tls=each.tls))
                for each in wanted
            ]
    finally:
        await runner.cleanup()


async def _stop(app: web.Application) -> None:
    # Streams watch it and end; everything else is given its time.
    app[STOPPING].set()


def _shown(path: str, document: Mapping[str, object], gate: Gate) -> Handler:
    # Made once: it is the longest answer there is.
    encoded = json.dumps(document).encode()

    async def whole(request: web.Request) -> web.Response:
        request[routes.ROUTE] = path
        limiting.count(request, await gate.check(request))
        return web.Response(body=encoded, content_type="application/json")

    return whole


def _describe(app: web.Application, text: str, gate: Gate) -> None:
    async def for_people(request: web.Request) -> web.Response:
        request[routes.ROUTE] = "/docs"
        limiting.count(request, await gate.check(request))
        return web.Response(text=text, content_type="text/html")

    app.router.add_get("/docs", for_people)


def _unique(found: Sequence[Route]) -> None:
    names = [route.handler.__name__ for route in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise TypeError(f"handlers share a name: {twice}")
