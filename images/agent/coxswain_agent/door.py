"""The door: a server on localhost that adds the pod's token to each request and passes it on.

/v1/run/... goes to the platform, everything else below /v1 to the model gateway. Bodies stream both
ways and are never looked at. Programs know only this address; none gets the token.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

CONNECT_SECONDS = 5.0
# When the door is shut, whoever is still in it is not waited for.
SHUT_SECONDS = 1.0
PLATFORM_PREFIX = "/v1/run/"
UNREACHABLE = "unreachable"
TRACEPARENT = "traceparent"

# Headers of one connection, and those that are ours to set.
_NOT_PASSED_ON = frozenset(
    {
        "authorization",
        "connection",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
    }
)


class Door:
    """Serves from ``async with`` on; ``url`` is its address then."""

    def __init__(
        self,
        platform_url: str,
        models_url: str,
        token_file: Path,
        port: int = 0,
        traceparent: str = "",
    ) -> None:
        self._platform = platform_url.rstrip("/")
        self._models = models_url.rstrip("/")
        self._token_file = token_file
        self._port = port
        self._traceparent = traceparent
        self.url = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
        )
        application = web.Application(client_max_size=0)
        application.router.add_route("*", "/v1/{tail:.*}", self._pass_on)
        # A caller that goes away ends the call behind the door too.
        self._runner = web.AppRunner(
            application,
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=SHUT_SECONDS,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        target = self._platform if request.path.startswith(PLATFORM_PREFIX) else self._models
        headers = _passed_on(request.headers)
        if self._traceparent and TRACEPARENT not in request.headers:
            headers[TRACEPARENT] = self._traceparent
        try:
            headers["Authorization"] = f"Bearer {self._token_file.read_text().strip()}"
            upstream = await self._session.request(
                request.method,
                target + request.raw_path,
                headers=headers,
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError) as error:
            return _unreachable(request.path, error)
        async with upstream:
            return await _answer(request, upstream)


async def _answer(request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=upstream.status, headers=_passed_on(upstream.headers))
    await response.prepare(request)
    try:
        async for chunk in upstream.content.iter_any():
            await response.write(chunk)
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, TimeoutError):
        # Half an answer must not look like a whole one.
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


def _passed_on(headers: "aiohttp.typedefs.LooseHeaders") -> dict[str, str]:
    items = dict(headers).items()
    return {str(name): value for name, value in items if str(name).lower() not in _NOT_PASSED_ON}


def _unreachable(path: str, error: Exception) -> web.Response:
    message = f"the door reaches nobody behind {path}: {type(error).__name__}"
    if path.startswith(PLATFORM_PREFIX):
        problem = {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "code": UNREACHABLE,
            "message": message,
        }
        return web.json_response(problem, status=503, content_type="application/problem+json")
    shape = {"message": message, "type": "server_error", "code": UNREACHABLE, "param": None}
    return web.json_response({"error": shape}, status=503)
