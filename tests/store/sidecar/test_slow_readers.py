"""Readers that read slowly, or not at all, over real TCP: they are told, or cut off, and cost little memory."""

import asyncio
import contextlib
import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from coxswain.store import events
from coxswain.store.pool import Store
from tests.support import sidecar_process
from tests.support.event_streams import reading
from tests.support.measured import value
from tests.support.postgres import Database
from tests.support.rows import event
from tests.support.sidecar_api import LOCAL_TOKEN, Api, running
from tests.support.waiting import until

LARGE = {"text": "x" * 200_000}
# More than the memory of the newest events and all buffers between here and there.
MANY = 80
ID = b"\nid: "
MIB = 1_048_576
ENDED = "coxswain_streams_ended_total"


class Socket:
    """A client whose kernel takes little, and which reads only when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str, path: str) -> "Socket":
        """Ask for a stream and read nothing of it."""
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.setblocking(False)
        place = urlsplit(url)
        await asyncio.get_running_loop().sock_connect(plain, (place.hostname, place.port))
        reader, writer = await asyncio.open_connection(sock=plain, limit=4096)
        lines = (
            f"GET {path} HTTP/1.1",
            "Host: coxswain",
            "Accept: text/event-stream",
            f"Authorization: Bearer {LOCAL_TOKEN}",
        )
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        return cls(reader, writer)

    async def until_frames(self, count: int) -> list[tuple[str, int]]:
        """Read on until so many events came; their names and positions."""
        text, seen = bytearray(), 0
        async with asyncio.timeout(60):
            while seen < count or text.rfind(b"\n\n") < text.rfind(ID):
                part = await self._reader.read(65_536)
                if not part:
                    break
                # A mark may lie over the edge of two parts.
                seen += (text[1 - len(ID) :] + part).count(ID)
                text += part
        return _frames(bytes(text))

    async def trickle(self) -> int:
        """Take a byte now and then, until there are no more; how many there were."""
        taken = 0
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(1):
                taken += 1
                await asyncio.sleep(0.02)
        return taken

    def close(self) -> None:
        """Go away."""
        self._writer.close()


def _frames(answer: bytes) -> list[tuple[str, int]]:
    """Name and position of each frame of a chunked answer; of one without an id, what its data says."""
    body = answer.partition(b"\r\n\r\n")[2]
    whole = bytearray()
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole += rest[:length]
        body = rest[length + 2 :]
    found = []
    for block in whole.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "id" in fields:
            found.append((fields.get("event", ""), int(fields["id"])))
        elif fields.get("event") == "lagged":
            found.append(("lagged", json.loads(fields["data"])["position"]))
    return found


async def fill(store: Store, count: int = MANY) -> None:
    for _ in range(count):
        await store.run(events.append, [event("user.large", details=LARGE)])


async def test_a_reader_that_falls_behind_is_told_once_and_misses_nothing(api: Api) -> None:
    before = value("coxswain_stream_lagged_total")
    slow = await Socket.open(api.url, "/v1/events?after=0")
    async with reading(api.user, "/v1/events?after=0") as awake:
        await api.operator.run(events.append, [event("user.first")])
        await awake.take(1)
        await until(lambda: value("coxswain_streams_open") == 2)
        for _ in range(MANY):
            await fill(api.operator, 1)
            await awake.take(1)
        found = await slow.until_frames(MANY + 1)
    slow.close()
    marks = [place for place, (name, _) in enumerate(found) if name == "lagged"]
    assert len(marks) == 1
    assert value("coxswain_stream_lagged_total") == before + 1
    # The mark names the position that it goes on from.
    assert found[marks[0]][1] == found[marks[0] - 1][1]
    given = [position for name, position in found if name != "lagged"]
    assert given == list(range(1, MANY + 2))


async def test_a_reader_that_takes_nothing_is_cut_off_and_comes_back_with_its_position(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    before = value(ENDED, reason="stalled")
    async with running(database, operator_store, tmp_path, write_seconds=0.5) as api:
        asleep = await Socket.open(api.url, "/v1/events?after=0")
        await until(lambda: value("coxswain_streams_open") == 1)
        await fill(operator_store)
        await until(lambda: value(ENDED, reason="stalled") == before + 1)
        await until(lambda: value("coxswain_streams_open") == 0)
        asleep.close()
        async with reading(api.user, "/v1/events", after=MANY - 1) as again:
            assert [each.position for each in await again.take(1)] == [MANY]


async def test_a_reader_that_takes_a_byte_now_and_then_is_cut_off_too(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    before = value(ENDED, reason="stalled")
    async with running(database, operator_store, tmp_path, write_seconds=0.5) as api:
        slow = await Socket.open(api.url, "/v1/events?after=0")
        trickling = asyncio.create_task(slow.trickle())
        await until(lambda: value("coxswain_streams_open") == 1)
        await fill(operator_store)
        await until(lambda: value(ENDED, reason="stalled") == before + 1)
        await until(lambda: value("coxswain_streams_open") == 0)
        # It was no dead peer: it was reading all the time, and still is.
        assert not trickling.done()
        trickling.cancel()
        slow.close()
        async with reading(api.user, "/v1/events", after=MANY - 1) as again:
            assert [each.position for each in await again.take(1)] == [MANY]


async def test_many_that_read_nothing_cost_little_memory_and_hold_up_nobody(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {LOCAL_TOKEN}"}
    async with AsyncExitStack() as stack:
        started = sidecar_process.started(database.sidecar, tmp_path)
        sidecar = await stack.enter_async_context(started)
        session = aiohttp.ClientSession(sidecar.url, headers=headers)
        await stack.enter_async_context(session)
        awake = await stack.enter_async_context(reading(session, "/v1/events?after=0"))
        await fill(operator_store, 1)
        await awake.take(1)
        before = sidecar.resident_bytes
        for _ in range(100):
            stack.callback((await Socket.open(sidecar.url, "/v1/events?after=0")).close)
        for _ in range(MANY):
            await fill(operator_store, 1)
            assert len(await awake.take(1)) == 1
        grown = sidecar.resident_bytes - before
    # Buffers without a bound would hold 100 times 16 MB.
    assert grown < 100 * MIB
