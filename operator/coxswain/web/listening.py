"""A server's ports: how many connections they hold, and how long for a peer that takes nothing.

One connection too many is answered 503 and closed, so that those that are open are served; over TLS it is
closed before its handshake, which would cost more than the answer. A peer that leaves what was sent to it
lie is cut by the kernel; it keeps no answer in memory for longer.
"""

import asyncio
import socket
import ssl
from asyncio import sslproto
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web
from typing_extensions import override

from coxswain.errors import ConfigurationError
from coxswain.telemetry import pool_metrics

BACKLOG = 1024
MOST_CONNECTIONS = 4096
UNREAD_SECONDS = 60
HANDSHAKE_SECONDS = 5
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class TurnedAway(asyncio.Protocol):
    """A connection that is one too many."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        taken = cast("asyncio.Transport", transport)
        taken.write(self._said)
        taken.close()


class Secured(sslproto.SSLProtocol):
    """A connection over TLS. It holds its buffer from its first byte on to its end, so that is a small one."""

    # A record of TLS and its head, twice; by itself it would be 256 KiB for each connection.
    max_size = 32_768


class Ports:
    """The connections of a server on all its ports: those that it serves, and those in their handshake.

    ``name`` labels the server's metrics.
    """

    def __init__(self, server: web.Server, name: str, most: int = MOST_CONNECTIONS) -> None:
        self._server = server
        self._most = most
        self._handshakes: set[asyncio.Future[None]] = set()
        self._turned_away = pool_metrics.CONNECTIONS_TURNED_AWAY.labels(name)

    def plain(self) -> asyncio.BaseProtocol:
        """What serves a new connection."""
        return self._server() if self._has_room() else TurnedAway(FULL)

    def secured(self, tls: ssl.SSLContext) -> asyncio.BaseProtocol:
        """What serves a new connection over TLS."""
        if not self._has_room():
            return TurnedAway(b"")
        loop = asyncio.get_running_loop()
        handshake: asyncio.Future[None] = loop.create_future()
        self._handshakes.add(handshake)
        handshake.add_done_callback(self._is_over)
        return Secured(
            loop,
            self._server(),
            tls,
            handshake,
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
        )

    def _has_room(self) -> bool:
        if len(self._server.connections) + len(self._handshakes) < self._most:
            return True
        self._turned_away.inc()
        return False

    def _is_over(self, handshake: asyncio.Future[None]) -> None:
        self._handshakes.discard(handshake)
        if not handshake.cancelled():
            # That it failed is the peer's business.
            handshake.exception()


@asynccontextmanager
async def listening(
    ports: Ports, address: tuple[str, int], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Take connections for the length of a block; gives the port.

    Raises ConfigurationError where the port cannot be opened.
    """

    def accept() -> asyncio.BaseProtocol:
        return ports.plain() if tls is None else ports.secured(tls)

    opened = _opened(*address)
    port: int = opened.getsockname()[1]
    taking = await asyncio.get_running_loop().create_server(accept, sock=opened, backlog=BACKLOG)
    try:
        yield port
    finally:
        taking.close()


def _opened(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"port {port} cannot be opened: {error.strerror}") from error
    # What is accepted inherits it.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
    opened.setblocking(False)
    return opened
