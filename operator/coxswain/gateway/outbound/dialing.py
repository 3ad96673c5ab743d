"""The dialer: resolves a host once, judges every address, connects to one that was judged.

There is no second resolution, so a name that changes in between gains nothing. One address that may
not be reached refuses the whole host.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from coxswain.errors import ForbiddenError, UnavailableError
from coxswain.rules import addresses
from coxswain.rules.addresses import Policy

CONNECT_SECONDS = 5.0
# A name server that is silent holds a thread for as long as the system's resolver waits.
RESOLVERS = 64
REFUSED = "address_refused"
NO_ADDRESS = "no_address"
UNREACHABLE = "unreachable"

Resolve = Callable[[str, int], Awaitable[list[str]]]
T = TypeVar("T")

_resolvers = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolve")


class AddressRefusedError(ForbiddenError):
    """The host has an address that may not be reached from here."""

    code = REFUSED


class UnreachableError(UnavailableError):
    """The host has no address, or none of its addresses takes the connection."""

    code = UNREACHABLE


class Dialer:
    """Connects to hosts under one policy of addresses."""

    def __init__(
        self,
        policy: Policy = addresses.PUBLIC,
        *,
        resolve: Resolve | None = None,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._policy = policy
        self._resolve = resolve or resolve_by_system
        self._connect_seconds = connect_seconds

    async def open(
        self, host: str, port: int, *, limit: int = 65_536
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A plain TCP connection. Raises AddressRefusedError or UnreachableError."""

        async def one(
            address: str, _seconds: float
        ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await asyncio.open_connection(address, port, limit=limit)

        return await self.connect(host, port, one)

    async def connect(self, host: str, port: int, one: Callable[[str, float], Awaitable[T]]) -> T:
        """Call ``one`` with address and seconds until it succeeds, all within the time for it.

        ``one`` raises OSError or TimeoutError where an address does not answer.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._connect_seconds
        found = await self._judged(host, port)
        last: Exception | None = None
        for place, address in enumerate(found):
            # A dead address must not use up the time of those after it.
            share = max(0.0, until - loop.time()) / (len(found) - place)
            try:
                async with asyncio.timeout(share):
                    return await one(address, share)
            except (OSError, TimeoutError) as error:
                last = error
        raise UnreachableError(f"{host}:{port} does not take a connection") from last

    async def _judged(self, host: str, port: int) -> list[str]:
        try:
            async with asyncio.timeout(self._connect_seconds):
                found = await self._resolve(host, port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise UnreachableError(f"{host} has no address", code=NO_ADDRESS) from error
        if not found:
            raise UnreachableError(f"{host} has no address", code=NO_ADDRESS)
        for address in found:
            if not addresses.is_allowed(address, self._policy):
                raise AddressRefusedError(
                    f"{host} has an address that is not public, and the installation does not"
                    " allow it"
                )
        return [str(addresses.read(address)) for address in found]


async def resolve_by_system(host: str, port: int) -> list[str]:
    """All addresses of a host, in the system's order."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_resolvers, _look_up, host, port)
    return list(dict.fromkeys(found))


def _look_up(host: str, port: int) -> list[str]:
    return [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
