"""Drops requests that look for files nobody serves: no body, no handler, no log line; they are counted."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from coxswain.rules import probing
from coxswain.telemetry import metrics

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def dropped(server: str) -> Middleware:
    """The very first layer of a server; ``server`` is its name in metrics."""
    dropped = metrics.PROBES_DROPPED.labels(server=server)

    @web.middleware
    async def layer(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not probing.is_probe(request.raw_path):
            return await handler(request)
        dropped.inc()
        nothing = web.Response(status=404, headers={"Connection": "close"})
        nothing.force_close()
        return nothing

    return layer
