"""The door: a server on localhost that adds the pod's token to each request and passes it on.

/v1/run/... goes to the platform, everything else below /v1 to the model gateway. Bodies stream both
ways and are never looked at. Programs know only this address; none gets the token. A program that asks
for too much at once is told so, and its door keeps its memory.
"""

from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

CONNECT_SECONDS = 5.0
# When the door is shut, whoever is still in it is not waited for.
SHUT_SECONDS = 1.0
PLATFORM_PREFIX = "/v1/run/"
MOST_CALLS = 128
"""Calls that are passed on at once, to the platform and to the models each: neither shuts out the other.

All of them with readers that stall take 70 MiB, and the door beside a foreign image has 128.
"""
RETRY_AFTER_SECONDS = 1
UNREACHABLE = "unreachable"
TOO_MANY = "too_many_at_once"
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


class _Side:
    """One of the two behind the door, and how many calls are on their way to it."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.calls = 0


class Door:
    """Serves from ``async with`` on; ``url`` is its address then."""

    def __init__(
        self,
        platform_url: str,
        models_url: str,
        token_file: Path,
        port: int = 0,
        *,
        traceparent: str = "",
        most_calls: int = MOST_CALLS,
    ) -> None:
        self._platform = _Side(platform_url)
        self._models = _Side(models_url)
        self._token_file = token_file
        self._port = port
        self._traceparent = traceparent
        self._most_calls = most_calls
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
        side = self._platform if request.path.startswith(PLATFORM_PREFIX) else self._models
        if side.calls >= self._most_calls:
            return _too_many(request.path, self._most_calls)
        side.calls += 1
        try:
            return await self._call(side.url, request)
        finally:
            side.calls -= 1

    async def _call(self, target: str, request: web.Request) -> web.StreamResponse:
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
    return _refusal(path, HTTPStatus.SERVICE_UNAVAILABLE, UNREACHABLE, message)


def _too_many(path: str, most: int) -> web.Response:
    whom = "platform" if path.startswith(PLATFORM_PREFIX) else "models"
    message = (
        f"{most} calls to the {whom} run already, and the door passes on no more at once;"
        " wait until one of them has ended"
    )
    response = _refusal(path, HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, message)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _refusal(path: str, status: HTTPStatus, code: str, message: str) -> web.Response:
    """In the form of the side that was asked."""
    if path.startswith(PLATFORM_PREFIX):
        problem = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "code": code,
            "message": message,
        }
        return web.json_response(problem, status=status, content_type="application/problem+json")
    kind = "rate_limit_error" if status is HTTPStatus.TOO_MANY_REQUESTS else "server_error"
    shape = {"message": message, "type": kind, "code": code, "param": None}
    return web.json_response({"error": shape}, status=status)
