"""HTTP sessions that connect through the dialer, for who posts much: a request takes little of our CPU.

As with ``clients`` there are no redirects, proxies, cookies or environment, TLS sees the host's name, and
connections are never shared with another policy's.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from typing_extensions import override
from yarl import URL

from coxswain.gateway.outbound.clients import system_tls
from coxswain.gateway.outbound.dialing import Dialer, UnreachableError

MOST_AT_ONCE = 200
MOST_IDLE = 128
IDLE_SECONDS = 30.0
# Of an answer, each of 8 KiB at most.
MOST_HEADERS = 64
READ_BYTES = 65_536
# What a URL may hold beside letters and digits, the sign of an escape among it.
_IN_URLS = ":/?#[]@!$&'()*+,;=%"


class Session:
    """Its every connection is the dialer's; made while a loop runs. It sets no time limit but the dialer's."""

    def __init__(
        self, dialer: Dialer, *, tls: ssl.SSLContext | None = None, most_idle: int = MOST_IDLE
    ) -> None:
        self._session = aiohttp.ClientSession(
            connector=_Connector(dialer, tls or system_tls(), most_idle),
            timeout=aiohttp.ClientTimeout(),
            # What one host was told to remember is nothing for the next request.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=READ_BYTES,
            max_headers=MOST_HEADERS,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The answer, for the length of a block. Raises the dialer's errors and aiohttp.ClientError."""
        return self._session.post(
            _as_written(url), data=body, headers=headers, allow_redirects=False
        )


def _as_written(url: str) -> URL:
    """The URL with each escape as it stands: a receiver may have signed it, or tell places by it."""
    try:
        found = URL(quote(url, safe=_IN_URLS), encoded=True)
        # Its parts are read late, and then nobody expects that there is no such port.
        _ = found.port
    except ValueError as error:
        raise aiohttp.InvalidURL(url) from error
    return found


class _Connector(aiohttp.BaseConnector):
    """The library's own pool with our way of connecting, and our bounds of what is kept."""

    def __init__(self, dialer: Dialer, tls: ssl.SSLContext, most_idle: int) -> None:
        super().__init__(limit=MOST_AT_ONCE, keepalive_timeout=IDLE_SECONDS)
        tls.set_alpn_protocols(["http/1.1"])
        self._dialer = dialer
        self._tls = tls
        self._most_idle = most_idle

    @override
    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        host, port = (req.url.raw_host or "").lower(), req.url.port or 0
        found = await self._dialer.connect(host, port, lambda address, _: _connected(address, port))
        tls, name = (self._tls, host.rstrip(".")) if req.is_ssl() else (None, None)
        try:
            # The protocol sees nothing of what is said before TLS stands: it would take it for an answer.
            _, protocol = await loop.create_connection(
                self._factory, sock=found, ssl=tls, server_hostname=name
            )
        except OSError as error:
            raise UnreachableError(f"{host} does not show that it is {host}") from error
        return protocol

    @override
    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        """A connection that was kept. What came over it unasked must not answer the next request."""
        while (kept := await super()._get(key, traces)) is not None:
            if kept.protocol is not None and not kept.protocol.should_close:
                return kept
            kept.close()
        return None

    @override
    def _release(
        self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False
    ) -> None:
        """Keep a connection for the next request, unless as many as may be are kept already."""
        idle = sum(len(each) for each in self._conns.values())
        super()._release(key, protocol, should_close=should_close or idle >= self._most_idle)


async def _connected(address: str, port: int) -> socket.socket:
    """A plain connection to an address that was judged. Raises OSError."""
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    found.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(found, (address, port))
    except BaseException:
        found.close()
        raise
    return found
