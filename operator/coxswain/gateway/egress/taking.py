"""The web door's port: plain, or over TLS with a certificate of the installation's own."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coxswain.errors import ConfigurationError
from coxswain.gateway.egress.door import Door
from coxswain.settings import EgressGatewaySettings
from coxswain.web.listening import Handshakes, TurnedAway

SETTLE_SECONDS = 2.0
BACKLOG = 100


class Taking:
    """Takes connections for a door.

    Over TLS at most so many are in their handshake, where nobody knows yet who they are.
    """

    def __init__(self, door: Door, tls: ssl.SSLContext | None, most_handshakes: int) -> None:
        self._door = door
        self._tls = tls
        self._most = most_handshakes
        self._handshakes = Handshakes()
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def opened(
        self, given: EgressGatewaySettings, drain_seconds: float
    ) -> AsyncIterator[int]:
        """Take them for the length of a block; gives the port.

        At its end tunnels have so long to end by themselves. Raises ConfigurationError where the port
        cannot be opened.
        """
        try:
            listening = await asyncio.get_running_loop().create_server(
                self._accept, given.bind, given.port, backlog=BACKLOG
            )
        except OSError as error:
            text = f"port {given.port} cannot be opened: {error.strerror}"
            raise ConfigurationError(text) from error
        try:
            yield listening.sockets[0].getsockname()[1]
        finally:
            listening.close()
            await self._door.tunnels.drain(drain_seconds)
            await self._settle()

    def _accept(self) -> asyncio.BaseProtocol:
        reader = asyncio.StreamReader()
        plain = asyncio.StreamReaderProtocol(reader, self._serve)
        if self._tls is None:
            return plain
        if len(self._handshakes) >= self._most:
            return TurnedAway(b"")
        return self._handshakes.secured(plain, self._tls)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._door.serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _settle(self) -> None:
        if self._serving:
            _, late = await asyncio.wait(self._serving, timeout=SETTLE_SECONDS)
            for each in late:
                each.cancel()
