"""One exchange with a receiver: a POST, its status, and no more time or bytes than were granted.

The body of an answer is of no interest: a little of it is read so that the connection can be used
again, and never kept.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from coxswain import __version__
from coxswain.gateway.outbound import clients
from coxswain.gateway.outbound.dialing import Dialer
from coxswain.rules import redelivery
from coxswain.rules.redelivery import Answer

READ_BYTES = 65_536
DRAIN_SECONDS = 1.0
HEADERS = {"Content-Type": "application/json", "User-Agent": f"coxswain/{__version__}"}

TIMEOUT = "timeout"
ADDRESS_REFUSED = "address_refused"
CONNECT = "connect"
CUT = "cut"
NO_HTTP = "no_http"
REDIRECT = "redirect"
STATUS = "status"


@dataclass(frozen=True)
class Exchange:
    """What came of it; ``error`` is empty where the receiver took it."""

    answer: Answer
    milliseconds: int
    error: str = ""


class Poster:
    """Posts to public addresses only, or to any where the installation lists the origin."""

    def __init__(
        self, public: Dialer, listed: Dialer, *, seconds: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._seconds = seconds
        self._clients = {
            False: clients.client(public, read_seconds=seconds, tls=tls),
            True: clients.client(listed, read_seconds=seconds, tls=tls),
        }

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, is_listed: bool
    ) -> Exchange:
        """Send it once. Never raises for what the other side does."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._exchange(url, body, headers, is_listed=is_listed)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return Exchange(Answer(), _milliseconds(begun), _code(error))
        return Exchange(answer, _milliseconds(begun), _word(answer.status))

    async def _exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], *, is_listed: bool
    ) -> Answer:
        given = {**HEADERS, **headers}
        client = self._clients[is_listed]
        async with client.stream("POST", url, content=body, headers=given) as response:
            asked = redelivery.retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
            await _drain(response)
            return Answer(response.status_code, asked)


async def _drain(response: httpx.Response) -> None:
    """Read what is left, if it is little and comes soon; the answer counts in any case."""
    size = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > READ_BYTES:
                    return
    except (httpx.HTTPError, TimeoutError):
        return


def _code(error: Exception) -> str:
    if clients.refusal(error) is not None:
        return ADDRESS_REFUSED
    match error:
        case TimeoutError() | httpx.TimeoutException():
            return TIMEOUT
        case httpx.ConnectError():
            return CONNECT
        case httpx.NetworkError():
            return CUT
        case _:
            return NO_HTTP


def _word(status: int | None) -> str:
    if status is not None and 200 <= status < 300:
        return ""
    return REDIRECT if status is not None and 300 <= status < 400 else STATUS


def _milliseconds(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
