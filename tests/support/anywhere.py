"""A network in which every address is a trap of our own; run as ``python -m tests.support.anywhere``.

It must be started inside a network namespace that was made for it. Prints, as JSON, which hosts are
reached without a guard, how the dialer answers for each, and how many connections it let arrive.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx

from coxswain.errors import CoxswainError
from coxswain.gateway.outbound import clients
from coxswain.gateway.outbound.dialing import Dialer
from coxswain.gateway.outbound.sessions import Session
from tests.support import targets

REPOSITORY = Path(__file__).parents[2]
NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")
# Whatever address is asked for is this machine's own.
NETWORK = (
    "ip link set lo up",
    "ip route add local 0.0.0.0/0 dev lo",
    "ip -6 route add local ::/0 dev lo",
)
ARRIVED = "arrived"
SECONDS = 120

Try = Callable[[str], Awaitable[None]]


def is_possible() -> bool:
    """Whether this machine lets us make a network of our own."""
    words = [*NAMESPACE, "ip", "link", "set", "lo", "up"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def explore() -> dict[str, Any]:
    """Run it in a namespace of its own; what it printed."""
    words = [*NAMESPACE, sys.executable, "-m", __name__]
    ended = subprocess.run(
        words, capture_output=True, text=True, cwd=REPOSITORY, timeout=SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


class _Trap:
    """Takes every connection on every address."""

    def __init__(self) -> None:
        self.arrivals = 0
        self.port = 0

    async def open(self) -> None:
        server = await asyncio.start_server(self._take, None, 0)
        self.port = server.sockets[0].getsockname()[1]
        other = server.sockets[-1].getsockname()[1]
        if other != self.port:
            server.close()
            server = await asyncio.start_server(self._take, ["0.0.0.0", "::"], self.port)  # noqa: S104
        self._server = server

    async def settle(self) -> int:
        """How many came so far; whoever is on the way is waited for."""
        before = self.arrivals
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while self.arrivals == before:  # noqa: ASYNC110 - the loop's own turns, no time
            await asyncio.sleep(0)
        writer.close()
        self.arrivals = 0
        return before

    async def _take(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals += 1
        writer.close()


async def _asked(hosts: list[str], one: Try) -> dict[str, str]:
    said: dict[str, str] = {}
    for host in hosts:
        try:
            await one(host)
            said[host] = ARRIVED
        except CoxswainError as error:
            said[host] = error.code
        except (
            *(OSError, UnicodeError, httpx.HTTPError, httpx.InvalidURL),
            aiohttp.ClientError,
        ) as error:
            found = clients.refusal(error)
            said[host] = found.code if found is not None else type(error).__name__
    return said


async def _main() -> dict[str, Any]:
    trap = _Trap()
    await trap.open()
    dialer = Dialer()
    client = clients.client(dialer, read_seconds=2)
    session = Session(dialer)

    async def unguarded(host: str) -> None:
        _, writer = await asyncio.open_connection(host, trap.port)
        writer.close()

    async def dialled(host: str) -> None:
        _, writer = await dialer.open(host, trap.port)
        writer.close()

    def url(host: str) -> str:
        shown = f"[{host.replace('%', '%25')}]" if ":" in host else host
        return f"http://{shown}:{trap.port}/"

    async def fetched(host: str) -> None:
        await client.get(url(host))

    async def posted(host: str) -> None:
        async with session.post(url(host), b"", {}):
            pass

    closed = [each.host for each in targets.closed()]
    said: dict[str, Any] = {"unguarded": await _asked([*closed, *targets.OPEN], unguarded)}
    said["unguarded arrivals"] = await trap.settle()
    said["dialled"] = await _asked([*closed, *targets.NEVER], dialled)
    said["dialled arrivals"] = await trap.settle()
    said["fetched"] = await _asked([*closed, *targets.NEVER], fetched)
    said["fetched arrivals"] = await trap.settle()
    said["posted"] = await _asked([*closed, *targets.NEVER], posted)
    said["posted arrivals"] = await trap.settle()
    said["open"] = await _asked(list(targets.OPEN), dialled)
    said["open arrivals"] = await trap.settle()
    await client.aclose()
    await session.close()
    return said


if __name__ == "__main__":
    for line in NETWORK:
        subprocess.run(line.split(), check=True)
    print(json.dumps(asyncio.run(_main())))
