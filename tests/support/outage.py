"""A Postgres that goes away and comes back: a proxy that can be switched off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.support.cutting import SOCKET, Cutter
from tests.support.postgres import Database

ROLES = ("operator", "sidecar", "gateway")


class Switch:
    """Postgres behind a socket of its own."""

    def __init__(self, cutter: Cutter, socket: Path) -> None:
        self._cutter = cutter
        self._socket = socket
        self._server: asyncio.Server | None = None

    async def on(self) -> None:
        """Postgres answers."""
        self._server = await asyncio.start_unix_server(self._cutter.serve, self._socket)

    async def off(self) -> None:
        """Every connection breaks, and no new one is taken."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._socket.unlink(missing_ok=True)
        await self._cutter.close()


@asynccontextmanager
async def switchable(database: Database, folder: Path) -> AsyncIterator[tuple[Database, Switch]]:
    """The same database, reached by our processes through a switch that is on."""
    switch = Switch(Cutter(socket_of(database)), folder / SOCKET)
    await switch.on()
    try:
        yield behind(database, folder), switch
    finally:
        await switch.off()


def socket_of(database: Database) -> Path:
    """Where the server of a database listens."""
    return Path(urlsplit(database.operator).query.removeprefix("host=")) / SOCKET


def behind(database: Database, folder: Path) -> Database:
    """The same database for our processes, by the socket in a folder."""
    moved = {}
    for role in ROLES:
        parts = urlsplit(str(getattr(database, role)))
        moved[role] = urlunsplit(parts._replace(query=f"host={folder}"))
    return replace(database, **moved)
