"""Who gives one stream to many readers: the sidecar API, and nchan in nginx."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

from coxswain.store import events
from coxswain.store.pool import Store
from tests.bench import nchan, spending, sse_readers
from tests.bench.figures import Figure
from tests.bench.spending import Meter
from tests.support import postgres, rows, sidecar_process
from tests.support.postgres import Database, Server

# After the last message was published.
LATEST_SECONDS = 30.0
REST_SECONDS = 20.0
MICROSECONDS = 1e6
# About what an event of ours is as a frame of a stream.
FRAME_BYTES = 450
DELIVERIES, SERVER, POSTGRES = "delivered/s", "server", "Postgres"
LINES = [
    Figure(DELIVERIES, digits=0),
    Figure("server and Postgres, CPU us per message", "less"),
    Figure("server, CPU us per message", "less"),
    Figure("Postgres, CPU us per message"),
    Figure("p50, ms", "less"),
    Figure("p99, ms", "less"),
    Figure("most, ms", "less"),
    Figure("memory per reader, KiB", "less"),
    Figure("readers, CPU us per message"),
    Figure("publisher, CPU us per message"),
    Figure("others on the machine, CPU us per message"),
]


@dataclass(frozen=True)
class Load:
    """So many readers, so many messages for each, so many published in a second."""

    readers: int
    messages: int
    per_second: int

    @property
    def seconds(self) -> float:
        """How long it takes to publish."""
        return self.messages / self.per_second


@dataclass(frozen=True)
class Serving:
    """A server at work: its process, where readers go, and how one publishes."""

    pid: int
    port: int
    path: str
    publish: Callable[[str], Awaitable[None]]
    headers: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, int] = field(default_factory=dict)


class Side(Protocol):
    """One of them."""

    @property
    def name(self) -> str:
        """Of its column."""
        ...

    def opened(
        self, server: Server, database: Database, folder: Path, readers: int
    ) -> AbstractAsyncContextManager[Serving]:
        """At work for the length of a block."""
        ...


class Ours:
    """A process of the API; whoever publishes appends an event to the log, in a statement of its own."""

    name = "Coxswain"

    @asynccontextmanager
    async def opened(
        self, server: Server, database: Database, folder: Path, readers: int
    ) -> AsyncIterator[Serving]:
        """With room for so many streams, from one caller."""
        assert server.pid is not None, "the CPU of a server elsewhere cannot be seen"
        most = str(readers + 10)
        async with (
            sidecar_process.started(
                database.sidecar,
                folder,
                COXSWAIN_STREAMS=most,
                COXSWAIN_REQUESTS_PER_SECOND="100000",
                COXSWAIN_REQUESTS_AT_ONCE="100000",
            ) as sidecar,
            postgres.opened(database.gateway, connections=1) as store,
        ):
            yield Serving(
                sidecar.process.pid,
                sidecar.port,
                "/v1/events",
                lambda text: _append(store, text),
                {"Authorization": f"Bearer {sidecar_process.TOKEN}"},
                {POSTGRES: server.pid},
            )


class Nchan:
    """One worker of nginx; whoever publishes posts, over a connection that is kept."""

    name = "nchan"

    @asynccontextmanager
    async def opened(
        self, server: Server, database: Database, folder: Path, readers: int
    ) -> AsyncIterator[Serving]:
        """With its messages in memory."""
        with nchan.serving(folder / "nginx") as (pid, port):
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

                async def post(text: str) -> None:
                    body = f'{{"text":"{text}"}}'.ljust(FRAME_BYTES)
                    async with session.post(nchan.PUBLISH, data=body) as answer:
                        assert answer.status in (201, 202), answer

                yield Serving(pid, port, nchan.SUBSCRIBE, post)


ALL: tuple[Side, ...] = (Ours(), Nchan())


async def measured(
    side: Side, server: Server, database: Database, load: Load, folder: Path
) -> dict[str, float]:
    """One run of a side. Raises AssertionError unless every reader has every message, in order."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    async with side.opened(server, database, folder, load.readers) as serving:
        empty = spending.family_bytes(serving.pid)
        longest = load.seconds + LATEST_SECONDS + REST_SECONDS
        place = (serving.port, serving.path, serving.headers)
        async with sse_readers.reading(*place, load.readers, load.messages, longest) as readers:
            processes = {"readers": readers.process.pid, "publisher": os.getpid()}
            meter = Meter(processes, {SERVER: serving.pid, **serving.families})
            await meter.rest(REST_SECONDS)
            before, began = meter.read(), time.monotonic()
            await _publish(serving, load)
            came = await readers.came(longest)
            seconds, spent = time.monotonic() - began, meter.read().since(before)
            held = spending.family_bytes(serving.pid)
    assert (came.missing, came.disordered) == (0, 0), came
    cost = {name: MICROSECONDS * each / came.taken for name, each in spent.items()}
    return {
        DELIVERIES: came.taken / seconds,
        "server and Postgres, CPU us per message": cost[SERVER] + cost.get(POSTGRES, 0.0),
        **{f"{name}, CPU us per message": each for name, each in cost.items()},
        "p50, ms": came.p50,
        "p99, ms": came.p99,
        "most, ms": came.most,
        "memory per reader, KiB": (held - empty) / 1024 / load.readers,
    }


async def _publish(serving: Serving, load: Load) -> None:
    """At fixed times, each message with the time when it was due: a slow server makes itself late."""
    start = time.monotonic()
    for number in range(load.messages):
        due = start + number / load.per_second
        await asyncio.sleep(due - time.monotonic())
        await serving.publish(sse_readers.message(number + 1, int(due * 1e9)))


async def _append(store: Store, text: str) -> None:
    event = rows.event(workspace="team", kind="Job", name="first", details={"text": text})
    await store.run(events.append, [event])
