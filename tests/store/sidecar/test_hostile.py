"""Many who send slowly, read slowly or say nothing, over real sockets, beside one who is to be served."""

import asyncio
import json
import os
import resource
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.support.postgres import Database
from tests.support.sidecar_process import Sidecar, started

# Of each sort; more: COXSWAIN_HOSTILE=500 hack/test store -- -k hostile
HOSTILE = int(os.environ.get("COXSWAIN_HOSTILE", "40"))
IDLE = 4 * HOSTILE
GROWTH_BYTES = 64 * 1024 * 1024 + (2 * HOSTILE + IDLE) * 64 * 1024
TOKEN = "a-local-token-of-the-tests"
HERE = "127.0.0.1"
HEAD = f"Host: x\r\nAuthorization: Bearer {TOKEN}\r\n"
PAUSE_SECONDS = 1.0
SERVED_SECONDS = 1.0
# All come at once; who asks in this moment stands behind them.
ARRIVAL_SECONDS = 2.0 + HOSTILE / 100
CUT_SECONDS = 30.0


def resident(process: Sidecar) -> int:
    """Bytes of memory that the process holds."""
    lines = Path(f"/proc/{process.process.pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


async def pause(gone: asyncio.Event, seconds: float) -> None:
    """Do nothing for a while, or until all is over."""
    with suppress(TimeoutError):
        await asyncio.wait_for(gone.wait(), seconds)


async def slow_sender(port: int, _gone: asyncio.Event) -> bytes:
    """Sends a byte of its body each second, until it is answered."""
    reader, writer = await asyncio.open_connection(HERE, port)
    writer.write(f"POST /v1/events HTTP/1.1\r\n{HEAD}Content-Length: 9000\r\n\r\n".encode())
    answer = asyncio.ensure_future(reader.readline())
    while not answer.done():
        writer.write(b"{")
        await asyncio.wait({answer}, timeout=PAUSE_SECONDS)
    writer.close()
    return answer.result()


async def slow_reader(port: int, gone: asyncio.Event) -> bytes:
    """Asks for the longest answer over and over, and reads a byte of it each second."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(peer, (HERE, port))
    await loop.sock_sendall(peer, f"GET /v1/openapi.json HTTP/1.1\r\n{HEAD}\r\n".encode() * 5)
    found = b""
    while not gone.is_set():
        found += await loop.sock_recv(peer, 1)
        await pause(gone, PAUSE_SECONDS)
    peer.close()
    return found


async def idle(port: int, gone: asyncio.Event) -> bytes:
    """Connects, begins a head and says no more."""
    _, writer = await asyncio.open_connection(HERE, port)
    writer.write(b"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nX-Begun: ")
    await gone.wait()
    writer.close()
    return b""


async def flood(port: int, lines: bytes) -> bytes:
    """The first line of the answer to a request with these headers; empty where the connection is cut."""
    reader, writer = await asyncio.open_connection(HERE, port)
    try:
        writer.write(b"GET /v1/jobs HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n\r\n")
        await writer.drain()
        return await asyncio.wait_for(reader.readline(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


class Served:
    """One who asks all the time, and how long each answer took."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.seconds: list[float] = []
        self.statuses: set[int] = set()

    async def ask(self, gone: asyncio.Event) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(f"http://{HERE}:{self._port}", headers=headers) as session:
            while not gone.is_set():
                began = time.monotonic()
                async with session.get("/v1/jobs") as answer:
                    await answer.read()
                self.statuses.add(answer.status)
                self.seconds.append(time.monotonic() - began)
                await pause(gone, 0.1)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return {"COXSWAIN_LOCAL_TOKEN_FILE": str(token), "COXSWAIN_LOG_LEVEL": "warning"}


async def test_the_slow_and_the_silent_cost_little_and_keep_nobody_from_being_served(
    database: Database, tmp_path: Path, settings: dict[str, str]
) -> None:
    async with started(database.sidecar, tmp_path, **settings) as process:
        gone, served = asyncio.Event(), Served(process.port)
        before = resident(process)
        async with AsyncExitStack() as stack:
            group = await stack.enter_async_context(asyncio.TaskGroup())
            stack.callback(gone.set)
            asking = group.create_task(served.ask(gone))
            sorts: tuple[Callable[[int, asyncio.Event], Awaitable[bytes]], ...] = (
                slow_reader,
                idle,
            )
            for sort, many in zip(sorts, (HOSTILE, IDLE), strict=True):
                for _ in range(many):
                    group.create_task(_as_task(sort, process.port, gone))
            senders = [
                asyncio.ensure_future(slow_sender(process.port, gone)) for _ in range(HOSTILE)
            ]
            async with asyncio.timeout(CUT_SECONDS):
                answers = await asyncio.gather(*senders)
            after = resident(process)
            assert not asking.done()
        figures = {
            "hostile": HOSTILE,
            "idle": IDLE,
            "resident before": before,
            "resident after": after,
            "served": len(served.seconds),
            "longest": round(max(served.seconds), 3),
        }
        print(json.dumps(figures))
        assert {line.split()[1] for line in answers} == {b"408"}
        assert served.statuses == {200}
        assert len(served.seconds) > 50
        assert max(served.seconds) < ARRIVAL_SECONDS
        assert sorted(served.seconds)[-3] < SERVED_SECONDS
        assert after - before < GROWTH_BYTES


async def _as_task(
    sort: Callable[[int, asyncio.Event], Awaitable[bytes]], port: int, gone: asyncio.Event
) -> None:
    await sort(port, gone)


FLOODS = {
    "many headers": b"\r\n".join(b"X-%d: %s" % (each, b"x" * 1000) for each in range(2000)),
    "one long header": b"X: " + b"x" * 4_000_000,
    "no end of a name": b"x" * 4_000_000,
    "nul in a header": b"X: a\0b",
    "folded": b"X: a\r\n b",
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2",
    "length and chunks": b"Content-Length: 1\r\nTransfer-Encoding: chunked",
    "no length": b"Content-Length: -1",
}


async def test_floods_of_headers_are_cut_and_the_next_caller_is_served(
    database: Database, tmp_path: Path, settings: dict[str, str]
) -> None:
    async with started(database.sidecar, tmp_path, **settings) as process:
        before = resident(process)
        for name, lines in FLOODS.items():
            answers = await asyncio.gather(*(flood(process.port, lines) for _ in range(10)))
            assert {answer.split()[1] if answer else b"" for answer in answers} <= {
                b"",
                b"400",
                b"401",
            }, name
        assert b" 401 " in await flood(process.port, b"X: y")
        grown = resident(process) - before
        print(json.dumps({"resident before": before, "grown": grown}))
        assert grown < GROWTH_BYTES
