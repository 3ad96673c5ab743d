"""Writers of events, in a process of their own: ``python -m tests.bench.ingest_process store|api|copy``.

Everything is prepared first. Then it says ``ready``, begins at a line of its input, and tells in a line of
JSON how long all took and what the slowest hundredth of the batches waited. It ends with its input, so its CPU
can be read before that. The peers' ``ingest.mjs`` does the same.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg

from coxswain.api.contract import EventBatch, RunEvent
from coxswain.api.event_types.run import RUN_OUTPUT
from coxswain.api.records import Event
from coxswain.store import events, pool, uuid7
from coxswain.store.pool import Store
from tests.bench import figures, http_line
from tests.bench.http_line import Line

PREFIX = "COXSWAIN_BENCH_"
TEXT = "x" * 200
COLUMNS = (
    *("id", "at", "type", "actor", "workspace", "kind", "name"),
    *("uid", "attempt", "seq", "details", "version", "is_security"),
)
Deed = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Load:
    """How many events in all, from how many writers, so many in a batch, over how many connections."""

    events: int
    writers: int
    batch: int
    connections: int

    @classmethod
    def told(cls) -> "Load":
        """By the environment."""
        names = ("events", "writers", "batch", "connections")
        return cls(*(int(os.environ[PREFIX + name.upper()]) for name in names))

    def variables(self) -> dict[str, str]:
        """The same for a process to be."""
        return {PREFIX + name.upper(): str(value) for name, value in vars(self).items()}

    def sizes(self, writer: int) -> list[int]:
        """Of the batches of one writer, the last of all perhaps smaller."""
        firsts = range(writer * self.batch, self.events, self.writers * self.batch)
        return [min(self.batch, self.events - first) for first in firsts]


def run_events(sizes: Sequence[int]) -> list[list[RunEvent]]:
    """What an agent tells of a program's output, numbered."""
    now, seq, found = datetime.now(UTC), 0, []
    for size in sizes:
        found.append([_run_event(now, seq + place) for place in range(1, size + 1)])
        seq += size
    return found


def _run_event(now: datetime, seq: int) -> RunEvent:
    details = {"stream": "stdout", "text": TEXT}
    return RunEvent(id=uuid7.new(now), seq=seq, type=RUN_OUTPUT.name, details=details)


def stored_events(sizes: Sequence[int]) -> list[list[Event]]:
    """The same as the log takes it."""
    uid = str(uuid4())
    return [
        [
            Event(
                id=each.id,
                type=each.type,
                actor="agent:team/reader",
                workspace="team",
                kind="Job",
                name="first",
                uid=uid,
                attempt=1,
                seq=each.seq,
                details=each.details,
            )
            for each in batch
        ]
        for batch in run_events(sizes)
    ]


async def through_the_store(load: Load, dsn: str) -> list[list[Deed]]:
    """As everything does that writes events, in one statement a batch."""
    store = await Store.open(dsn, connections=load.connections, name="bench-writers")
    await asyncio.gather(*(store.ping() for _ in range(load.connections)))

    def deed(batch: list[Event]) -> Deed:
        return lambda: store.run(events.append, batch, windowed=True)

    batches = [stored_events(load.sizes(writer)) for writer in range(load.writers)]
    return [[deed(batch) for batch in each] for each in batches]


async def by_copy(load: Load, dsn: str) -> list[list[Deed]]:
    """Rows of the same columns into a table with one index, in no common order."""
    found = await asyncpg.create_pool(dsn, min_size=load.connections, max_size=load.connections)

    def deed(rows: list[tuple[Any, ...]]) -> Deed:
        async def copy() -> None:
            async with found.acquire() as connection:
                await connection.copy_records_to_table("copied", records=rows, columns=COLUMNS)

        return copy

    batches = [stored_events(load.sizes(writer)) for writer in range(load.writers)]
    return [[deed([_row(event) for event in batch]) for batch in each] for each in batches]


def _row(event: Event) -> tuple[Any, ...]:
    known = (event.id, uuid7.time_of(event.id), event.type, event.actor, event.workspace)
    whose = (event.kind, event.name, event.uid, event.attempt, event.seq)
    return (*known, *whose, pool.encode(event.details), event.version, False)


async def through_the_api(load: Load, url: str) -> list[list[Deed]]:
    """As agents' pods: each claims its run and has a connection of its own."""
    agents: list[dict[str, str]] = json.loads(os.environ[PREFIX + "AGENTS"])
    return [await _agent(url, agent, load.sizes(place)) for place, agent in enumerate(agents)]


async def _agent(url: str, agent: dict[str, str], sizes: Sequence[int]) -> list[Deed]:
    line = await Line.open(url)
    headers = {"Authorization": f"Bearer {agent['token']}"}
    claim = json.dumps({"run": agent["run"]}).encode()
    answer = await line.ask(http_line.request("POST", "/v1/run/claim", headers, claim))
    assert answer.status == 200, answer

    def deed(batch: list[RunEvent]) -> Deed:
        body = EventBatch(events=batch).model_dump_json(by_alias=True, exclude_none=True).encode()
        wanted = http_line.request("POST", "/v1/run/events", headers, body)

        async def append() -> None:
            answer = await line.ask(wanted)
            assert answer.status == 200, answer

        return append

    return [deed(batch) for batch in run_events(sizes)]


WAYS = {"store": through_the_store, "copy": by_copy, "api": through_the_api}


async def main() -> None:
    """Prepare, wait for the word, write, tell, and wait for the end."""
    load = Load.told()
    way = sys.argv[1]
    writers = await WAYS[way](load, os.environ[PREFIX + ("URL" if way == "api" else "DSN")])
    words = await _input()
    # What was prepared is not looked through for garbage again and again.
    gc.freeze()
    _say("ready")
    await words.readline()
    waited: list[float] = []

    async def write(deeds: list[Deed]) -> None:
        for deed in deeds:
            began = time.perf_counter()
            await deed()
            waited.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(write(deeds) for deeds in writers))
    seconds = time.perf_counter() - began
    _say(json.dumps({"seconds": seconds, "p99": figures.percentile(waited, 0.99)}))
    await words.read()


async def _input() -> asyncio.StreamReader:
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    return lines


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
