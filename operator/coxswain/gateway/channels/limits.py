"""How much of a server strangers may take: so many at once, and so long for each."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from coxswain.errors import UnavailableError

BUSY = "too_many_requests"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def limited(at_once: int, seconds: float) -> Middleware:
    """A layer inside the one that makes answers of errors."""
    under_way = 0

    @web.middleware
    async def layer(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal under_way
        if under_way >= at_once:
            raise UnavailableError("too many requests at once; come again", code=BUSY)
        under_way += 1
        try:
            async with asyncio.timeout(seconds):
                return await handler(request)
        except TimeoutError:
            # What is still on its way is not waited for.
            request.protocol.close()
            raise web.HTTPRequestTimeout(reason="the request took too long to come") from None
        finally:
            under_way -= 1

    return layer
