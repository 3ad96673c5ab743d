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

import aiohttp

from coxswain import __version__
from coxswain.errors import CoxswainError
from coxswain.gateway.outbound.dialing import AddressRefusedError, Dialer
from coxswain.gateway.outbound.sessions import Session
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
        self._sessions = {
            is_listed: Session(dialer, tls=tls)
            for is_listed, dialer in ((False, public), (True, listed))
        }

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, is_listed: bool
    ) -> Exchange:
        """Send it once. Never raises for what the other side does."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._exchange(url, body, headers, is_listed=is_listed)
        except (aiohttp.ClientError, CoxswainError, TimeoutError) as error:
            return Exchange(Answer(), _milliseconds(begun), _code(error))
        return Exchange(answer, _milliseconds(begun), _word(answer.status))

    async def _exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], *, is_listed: bool
    ) -> Answer:
        session = self._sessions[is_listed]
        async with session.post(url, body, {**HEADERS, **headers}) as response:
            asked = redelivery.retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
            await _drain(response.content)
            return Answer(response.status, asked)


async def _drain(content: aiohttp.StreamReader) -> None:
    """Read what is left, if it is little and comes soon; the answer counts in any case."""
    size = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in content.iter_any():
                size += len(chunk)
                if size > READ_BYTES:
                    return
    except (aiohttp.ClientError, TimeoutError):
        return


def _code(error: Exception) -> str:
    match error:
        case AddressRefusedError():
            return ADDRESS_REFUSED
        case TimeoutError():
            return TIMEOUT
        case CoxswainError():
            return CONNECT
        case aiohttp.ClientConnectionError():
            return CUT
        case _:
            return NO_HTTP


def _word(status: int | None) -> str:
    if status is not None and 200 <= status < 300:
        return ""
    return REDIRECT if status is not None and 300 <= status < 400 else STATUS


def _milliseconds(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
