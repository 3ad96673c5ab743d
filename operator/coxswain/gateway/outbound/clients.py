"""HTTP clients that connect through the dialer: no redirects, proxies, cookies or environment.

TLS still sees the host's name. A client's connections are never shared with another policy's.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx
from typing_extensions import override

from coxswain.errors import CoxswainError
from coxswain.gateway.outbound.dialing import CONNECT_SECONDS, AddressRefusedError, Dialer

WRITE_SECONDS = 30.0
POOL_SECONDS = 10.0


class RefusedConnectError(httpcore.ConnectError):
    """AddressRefusedError in the words of the library; the cause says more."""


def client(
    dialer: Dialer,
    *,
    read_seconds: float,
    tls: ssl.SSLContext | None = None,
    marks: Callable[[], Mapping[str, str]] = dict,
) -> httpx.AsyncClient:
    """A client whose every connection is the dialer's; ``marks`` are headers of each request.

    A host that is refused raises httpx.ConnectError; ``refusal`` finds why.
    """
    timeout = httpx.Timeout(
        read_seconds, connect=CONNECT_SECONDS, write=WRITE_SECONDS, pool=POOL_SECONDS
    )

    async def mark(request: httpx.Request) -> None:
        request.headers.update(marks())

    made = httpx.AsyncClient(
        transport=_Transport(_Backend(dialer), tls or system_tls()),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        event_hooks={"request": [mark]},
    )
    # What one host was told to remember is nothing for the next request.
    made.cookies.jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return made


def refusal(error: BaseException) -> AddressRefusedError | None:
    """The dialer's refusal behind a library's error, if there is one."""
    each: BaseException | None = error
    while each is not None:
        if isinstance(each, AddressRefusedError):
            return each
        each = each.__cause__ or each.__context__
    return None


@cache
def system_tls() -> ssl.SSLContext:
    """The system's certificates; reading them takes a while, so once for all clients."""
    return ssl.create_default_context()


class _Transport(httpx.AsyncHTTPTransport):
    """The library's own transport over a pool with our way of connecting."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=200,
            max_keepalive_connections=50,
            keepalive_expiry=30.0,
            network_backend=backend,
        )


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._inner = httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        async def one(address: str, seconds: float) -> httpcore.AsyncNetworkStream:
            try:
                return await self._inner.connect_tcp(
                    address, port, seconds, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                raise OSError("no connection") from error

        try:
            return await self._dialer.connect(host, port, one)
        except AddressRefusedError as error:
            raise RefusedConnectError(error.message) from error
        except CoxswainError as error:
            raise httpcore.ConnectError(error.message) from error

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("nothing outside is reached by sockets of the file system")

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
