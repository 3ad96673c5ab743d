"""The web door while the database is away, and against clients that only wait."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from coxswain.api.egress import EgressHost
from coxswain.api.records import Event, Run, RunKey
from coxswain.errors import TransientError, UnavailableError
from coxswain.gateway.egress.allowance import Allowances
from coxswain.gateway.egress.asking import Asked
from coxswain.gateway.egress.door import Door
from coxswain.gateway.egress.journal import Journal
from coxswain.gateway.egress.places import Places, Turns
from coxswain.gateway.egress.relay import Bounds, Streams
from coxswain.gateway.egress.tunnels import Tunnels
from coxswain.identity.callers import AgentCaller
from tests.support import hellos, rows
from tests.support.waiting import until

NAME = "listed.example"
REQUEST = f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
GRANTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
INTERNAL_ERROR = b"\x15\x03\x01\x00\x02\x02\x50"


@dataclass
class Records:
    """A database that may be away."""

    away: bool = False
    events: list[Event] = field(default_factory=list)
    granted: int = 0

    async def append(self, batch: Sequence[Event]) -> None:
        self._answer()
        self.events += batch

    async def grant(self, key: RunKey, wanted: int, most: int) -> int:
        self._answer()
        granted = min(wanted, most - self.granted)
        self.granted += granted
        return granted

    async def still_open(self, pod_uids: Sequence[str]) -> frozenset[str]:
        self._answer()
        return frozenset()

    def _answer(self) -> None:
        if self.away:
            raise UnavailableError("away")


class Host:
    """Where the door connects to."""

    def __init__(self) -> None:
        self.heard = b""
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Host"]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def open(self, host: str, port: int) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                self.heard += data
                writer.write(b"fine")
        finally:
            writer.close()


def run() -> Run:
    document = rows.document("8f1b5a3c-0000-4000-8000-000000000001")
    return rows.run_of(document.model_copy(update={"egress": [EgressHost(host=NAME)]}))


async def admit(_: Asked) -> AgentCaller:
    return AgentCaller(rows.pod(), run())


@asynccontextmanager
async def opened(
    records: Records, host: Host, everybody: int = 10
) -> AsyncIterator[tuple[Door, int]]:
    """A door, and its port."""
    door = Door(
        admit=admit,
        dialer=host,
        journal=Journal(records.append),
        tunnels=Tunnels(records.still_open, recheck_seconds=3600),
        everybody=Places(100, everybody),
        runs=Places(100, 100),
        dials=Turns(1),
        bounds=Bounds(idle_seconds=10, total_seconds=10),
        allowances=Allowances(records.grant),
    )
    async with host.serving(), served(door) as port:
        yield door, port


@asynccontextmanager
async def served(door: Door) -> AsyncIterator[int]:
    """A port of the door; what is open at the end is cut."""
    serving: list[asyncio.Task[None]] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.create_task(door.serve(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)


async def asked(port: int, request: bytes) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    return reader, writer


async def test_nothing_goes_out_that_the_log_cannot_tell_of() -> None:
    records, host = Records(away=True), Host()
    async with opened(records, host) as (door, port):
        reader, writer = await asked(port, REQUEST + hellos.hello(NAME))
        assert await reader.read() == GRANTED + INTERNAL_ERROR
        writer.close()
        records.away = False
        await door.journal.flush()
    assert host.heard == b""
    assert [each.type for each in records.events] == ["run.egress.refused"]
    assert records.events[0].details["code"] == "unavailable"


async def test_what_is_open_goes_on_while_the_database_is_away_and_its_end_is_told_later() -> None:
    records, host = Records(), Host()
    async with opened(records, host) as (door, port):
        reader, writer = await asked(port, REQUEST + hellos.hello(NAME))
        assert await reader.readexactly(len(GRANTED) + 4) == GRANTED + b"fine"
        records.away = True
        with pytest.raises(UnavailableError):
            await door.tunnels.look()
        writer.write(b"still here")
        assert await reader.readexactly(4) == b"fine"
        writer.close()
        await writer.wait_closed()
        records.away = False
        async with asyncio.timeout(10):
            while len(records.events) < 2:
                await door.journal.flush()
                await asyncio.sleep(0.01)
    assert [each.type for each in records.events] == ["run.egress.opened", "run.egress.closed"]
    assert records.events[1].details["sent"] == len(hellos.hello(NAME)) + len(b"still here")


async def test_a_run_that_is_over_is_cut_at_the_next_look() -> None:
    records, host = Records(), Host()
    async with opened(records, host) as (door, port):
        reader, writer = await asked(port, REQUEST + hellos.hello(NAME))
        await reader.readexactly(len(GRANTED) + 4)
        await door.tunnels.look()
        assert await reader.read() == b""
        writer.close()
        await until(lambda: len(records.events) == 2)
    assert records.events[1].details["outcome"] == "run_closed"


async def test_who_only_waits_takes_nobody_elses_place() -> None:
    records, host = Records(), Host()
    async with opened(records, host, everybody=2) as (_, port):
        waiting = [await asked(port, b"CONNECT ") for _ in range(2)]
        async with asyncio.timeout(10):
            while True:
                reader, writer = await asked(port, b"")
                head = await reader.readline()
                writer.close()
                if head.startswith(b"HTTP/1.1 429"):
                    break
        for _, each in waiting:
            each.close()


def test_places_are_given_back() -> None:
    places = Places(2, 1)
    for _ in range(3):
        with places.taken("a"), places.taken("b"):
            for key in ("a", "c"):
                with pytest.raises(TransientError), places.taken(key):
                    pass


async def test_each_key_has_its_own_turns() -> None:
    turns, held, begun = Turns(2), asyncio.Event(), list[str]()

    async def take(key: str) -> None:
        async with turns.taken(key):
            begun.append(key)
            await held.wait()

    async with asyncio.TaskGroup() as group:
        for key in ("slow", "slow", "slow", "other"):
            group.create_task(take(key))
        await until(lambda: len(begun) == 3)
        assert sorted(begun) == ["other", "slow", "slow"]
        held.set()
    assert len(begun) == 4


async def test_a_run_that_waits_for_names_holds_up_no_other() -> None:
    records, hanging = Records(), asyncio.Event()

    async def admit_by_token(asked: Asked) -> AgentCaller:
        return AgentCaller(rows.pod(uid=asked.token), run())

    class Slow(Host):
        """Its first name is never answered for."""

        @override
        async def open(self, host: str, port: int) -> Streams:
            if not hanging.is_set():
                hanging.set()
                await asyncio.sleep(3600)
            return await super().open(host, port)

    host = Slow()
    async with opened(records, host) as (door, _):
        keyed = dataclasses.replace(door, admit=admit_by_token)
        async with served(keyed) as port:
            _, first = await asked(port, _from("slow"))
            await hanging.wait()
            _, second = await asked(port, _from("slow"))
            reader, third = await asked(port, _from("quick"))
            assert await reader.readexactly(len(GRANTED) + 4) == GRANTED + b"fine"
            for writer in (first, second, third):
                writer.close()


def _from(pod: str) -> bytes:
    known = f"Proxy-Authorization: Bearer {pod}\r\n\r\n".encode()
    return REQUEST.removesuffix(b"\r\n") + known + hellos.hello(NAME)
