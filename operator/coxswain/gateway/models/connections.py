"""HTTP clients for providers: addresses are judged at connect time, redirects are not followed.

A name is resolved once and connected to at the very addresses that were judged, so a name that
changes in between gains nothing. Environment settings such as proxies are not looked at.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Any

import httpcore
import httpx
from typing_extensions import override

from coxswain.rules import providers

CONNECT_SECONDS = 5.0
WRITE_SECONDS = 30.0
POOL_SECONDS = 10.0

Resolve = Callable[[str, int], Awaitable[list[str]]]


class AddressRefusedError(httpcore.ConnectError):
    """The host has an address that is not public, and the installation does not list its URL."""


def client(
    *, listed: bool, read_seconds: float, resolve: Resolve | None = None
) -> httpx.AsyncClient:
    """A client for listed places (any address) or for all others (public addresses only)."""
    timeout = httpx.Timeout(
        read_seconds, connect=CONNECT_SECONDS, write=WRITE_SECONDS, pool=POOL_SECONDS
    )
    backend = _Backend(resolve or resolve_by_system, listed=listed)
    return httpx.AsyncClient(
        transport=_Transport(backend), timeout=timeout, follow_redirects=False, trust_env=False
    )


async def resolve_by_system(host: str, port: int) -> list[str]:
    """All addresses of a host, in the system's order."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"{host} has no address") from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class _Transport(httpx.AsyncHTTPTransport):
    """The library's own transport over a pool with our way of connecting."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=200,
            max_keepalive_connections=50,
            keepalive_expiry=30.0,
            network_backend=backend,
        )


@cache
def _tls() -> ssl.SSLContext:
    """The system's certificates; reading them takes a while, so once for all clients."""
    return ssl.create_default_context()


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, resolve: Resolve, *, listed: bool) -> None:
        self._resolve = resolve
        self._listed = listed
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
        addresses = await self._resolve(host, port)
        if not self._listed and not all(providers.is_public(address) for address in addresses):
            raise AddressRefusedError(f"{host} has a private address")
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("providers are not reached by sockets of the file system")

    @override
    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
