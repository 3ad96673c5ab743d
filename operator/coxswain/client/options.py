"""How a client calls, and what its HTTP library is told. Pure."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from coxswain import __version__
from coxswain.api.retry_policy import RetryPolicy
from coxswain.client.errors import ClientError, LostAnswerError, Reply, UnreachableError
from coxswain.client.requests import CONTENT_TYPE, Request
from coxswain.client.retries import Pacing

Token = str | Callable[[], str] | None
Verify = ssl.SSLContext | bool
TIMEOUT_SECONDS = 20.0
# The platform says something at least every 15 s.
QUIET_SECONDS = 45.0
NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Options:
    """What a client was made with."""

    url: str
    token: Token = None
    """The token, or what gives it anew for each request."""
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    timeout_seconds: float = TIMEOUT_SECONDS
    verify: Verify = True
    pacing: Pacing = field(default_factory=Pacing)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url: {self.url!r} is no address such as https://coxswain.example")

    @property
    def http(self) -> dict[str, Any]:
        """What the HTTP library's client is made with."""
        return {
            "base_url": self.url,
            "verify": self.verify,
            "timeout": self.timeout_seconds,
            "limits": httpx.Limits(max_connections=None),
            "headers": {"User-Agent": f"coxswain-client/{__version__}"},
        }

    def words(self, request: Request[Any]) -> dict[str, Any]:
        """A request, as the HTTP library takes it."""
        return {
            "method": request.operation.method,
            "url": request.url,
            "params": request.parameters,
            "content": request.content,
            "headers": {**self._headers(), **request.headers},
            "timeout": self.timeout_seconds + request.more_seconds,
        }

    def words_of_stream(self, request: Request[Any]) -> dict[str, Any]:
        """The same for an answer that goes on."""
        timeout = httpx.Timeout(self.timeout_seconds, read=QUIET_SECONDS)
        return {**self.words(request), "timeout": timeout}

    def _headers(self) -> dict[str, str]:
        token = self.token() if callable(self.token) else self.token
        headers = {"Content-Type": CONTENT_TYPE}
        return headers if token is None else {**headers, "Authorization": f"Bearer {token.strip()}"}


def failure(error: httpx.TransportError) -> ClientError:
    """What the HTTP library's failure means."""
    why = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, NO_CONNECTION):
        return UnreachableError(f"nobody answers there: {why}")
    return LostAnswerError(f"the answer was lost: {why}")


def reply(response: httpx.Response) -> Reply:
    """An answer that was read whole."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, response.content)
