"""One look at a page: a GET through the one way out, and the digest of what came, or why nothing did.

Nothing of the content is kept. No redirect is followed, and no more is read than was granted.
"""

import asyncio
import hashlib
import ssl

import httpx

from coxswain import __version__
from coxswain.gateway.outbound import clients
from coxswain.gateway.outbound.dialing import Dialer
from coxswain.rules import callbacks
from coxswain.rules.callbacks import Policy
from coxswain.rules.polls import Failure

PAGE_BYTES = 1_048_576
HEADERS = {"User-Agent": f"coxswain/{__version__}", "Accept-Encoding": "identity"}
OK = 200


class Fetcher:
    """Looks at public addresses only, or at any where the installation lists the origin."""

    def __init__(
        self,
        public: Dialer,
        listed: Dialer,
        policy: Policy,
        *,
        seconds: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._seconds = seconds
        self._clients = {
            is_listed: clients.client(dialer, read_seconds=seconds, tls=tls)
            for is_listed, dialer in ((False, public), (True, listed))
        }

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def look(self, url: str) -> str | Failure:
        """The digest of the content, or why there is none. Never raises for what the host does."""
        if callbacks.refusal(url, self._policy) is not None:
            return Failure.NOT_ALLOWED
        client = self._clients[callbacks.is_listed(url, self._policy)]
        try:
            async with asyncio.timeout(self._seconds):
                async with client.stream("GET", url, headers=HEADERS) as response:
                    return await _digest(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return _failure(error)


async def _digest(response: httpx.Response) -> str | Failure:
    if response.status_code != OK:
        return Failure.STATUS
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return Failure.ENCODED
    digest, size = hashlib.sha256(), 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > PAGE_BYTES:
            return Failure.TOO_LARGE
        digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def _failure(error: Exception) -> Failure:
    if clients.refusal(error) is not None:
        return Failure.ADDRESS_NOT_ALLOWED
    match error:
        case TimeoutError() | httpx.TimeoutException():
            return Failure.TIMEOUT
        case httpx.ConnectError():
            return Failure.CONNECT
        case _:
            return Failure.CUT
