"""A server's port: how many connections it holds, and how long for a peer that takes nothing.

One connection too many is answered 503 and closed, so that those that are open are served. A peer that
leaves what was sent to it lie is cut by the kernel; it keeps no answer in memory for longer.
"""

import asyncio
import socket
import ssl
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
# Until its handshake is over, a connection is not among those that are counted.
HANDSHAKE_SECONDS = 5.0
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class TurnedAway(asyncio.Protocol):
    """A connection that is one too many."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        taken = cast("asyncio.Transport", transport)
        taken.write(FULL)
        taken.close()


@asynccontextmanager
async def listening(
    server: web.Server,
    name: str,
    address: tuple[str, int],
    *,
    most: int = MOST_CONNECTIONS,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """Take connections for the length of a block; gives the port. ``name`` labels the server's metrics.

    Raises ConfigurationError where the port cannot be opened.
    """
    turned_away = pool_metrics.CONNECTIONS_TURNED_AWAY.labels(name)

    def accept() -> asyncio.Protocol:
        if len(server.connections) < most:
            return server()
        turned_away.inc()
        return TurnedAway()

    opened = _opened(*address)
    port: int = opened.getsockname()[1]
    taking = await asyncio.get_running_loop().create_server(
        accept,
        sock=opened,
        backlog=BACKLOG,
        ssl=tls,
        ssl_handshake_timeout=None if tls is None else HANDSHAKE_SECONDS,
    )
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
