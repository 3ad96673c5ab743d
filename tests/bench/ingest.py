"""Who takes in events: our log, through the store and through the API; two queues of Node; and a bare COPY.

All write the same events in the same batches to the same Postgres, over as many connections at most.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import asyncpg

from coxswain.api.event_types.run import RUN_OUTPUT
from coxswain.store import keys, runs
from coxswain.store.claims import Pod
from coxswain.store.keys import IssuerKeys
from coxswain_agent.recorder import BATCH_EVENTS
from devtools import node_packages, places
from tests.bench import couriers, ingest_process, spending
from tests.bench.figures import Figure
from tests.bench.ingest_process import PREFIX, TEXT, Load
from tests.bench.spending import Meter
from tests.support import postgres, rows, sidecar_process
from tests.support.postgres import Database, Server
from tests.support.tokens import ISSUER, SigningCluster

CONNECTIONS = 16
PREPARE_SECONDS, LONGEST_SECONDS = 120.0, 600.0
MICROSECONDS = 1e6
EVENT = {
    "type": RUN_OUTPUT.name,
    "actor": "agent:team/reader",
    "workspace": "team",
    "kind": "Job",
    "name": "first",
    "attempt": 1,
    "details": {"stream": "stdout", "text": TEXT},
}
LINES = [
    Figure("events/s", "more", 0),
    Figure("p99 of a batch, ms", "less"),
    Figure("writer, CPU us per event", "less"),
    Figure("Postgres, CPU us per event", "less"),
    Figure("clients, CPU us per event"),
    Figure("others on the machine, CPU us per event"),
    Figure("writer, peak MB", "less", 0),
]
# Every event stands once, each writer's in its order, and no position was left out between them.
OURS = (
    "SELECT count(*) FILTER (WHERE before IS NULL OR before < seq) AS good,"
    " max(position) - min(position) + 1 AS positions FROM (SELECT position, seq,"
    " lag(seq) OVER (PARTITION BY uid ORDER BY position) AS before FROM events WHERE type = $1) AS each"
)
COPIED = (
    "CREATE TABLE copied (LIKE events INCLUDING DEFAULTS, PRIMARY KEY (position))",
    "ALTER TABLE copied ALTER position ADD GENERATED ALWAYS AS IDENTITY",
)


@dataclass(frozen=True)
class Writing:
    """The process of the writers to be, and the one that writes for them, if that is another."""

    words: list[str]
    environment: Mapping[str, str]
    server: int | None = None


class Side(Protocol):
    """One of them."""

    @property
    def name(self) -> str:
        """Of its column."""
        ...

    @property
    def has_schema(self) -> bool:
        """Whether it needs our schema."""
        ...

    def opened(
        self, database: Database, load: Load, folder: Path
    ) -> AbstractAsyncContextManager[Writing]:
        """All that it needs, for the length of a block."""
        ...

    async def check(self, database: Database, events: int) -> None:
        """Raise AssertionError unless every event is there."""
        ...


async def measured(
    side: Side, server: Server, database: Database, load: Load, folder: Path
) -> dict[str, float]:
    """One run of a side in a database of its own."""
    assert server.pid is not None, "the CPU of a server elsewhere cannot be seen"
    async with side.opened(database, load, folder) as writing, _process(writing) as process:
        await _line(process, b"ready", PREPARE_SECONDS)
        writer = writing.server or process.pid
        clients = {"clients": process.pid} if writing.server else {}
        meter = Meter({"writer": writer, **clients}, {"Postgres": server.pid})
        before = meter.read()
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        told = json.loads(await _line(process, b"{", LONGEST_SECONDS))
        spent, peak = meter.read().since(before), spending.peak_megabytes(writer)
    await side.check(database, load.events)
    return {
        "events/s": load.events / told["seconds"],
        "p99 of a batch, ms": 1000 * told["p99"],
        **{
            f"{name}, CPU us per event": MICROSECONDS * each / load.events
            for name, each in spent.items()
        },
        "writer, peak MB": peak,
    }


class Store:
    """Our log, as every process of ours writes it."""

    name = "Coxswain, store"
    has_schema = True

    @asynccontextmanager
    async def opened(self, database: Database, load: Load, folder: Path) -> AsyncIterator[Writing]:
        """Under the sidecar's role."""
        yield _ours("store", load, DSN=database.sidecar)

    async def check(self, database: Database, events: int) -> None:
        """Once each, and in order."""
        await _check(database, events)


class Api:
    """Our log, as agents write it: through a process of the API."""

    name = "Coxswain, API"
    has_schema = True

    @asynccontextmanager
    async def opened(self, database: Database, load: Load, folder: Path) -> AsyncIterator[Writing]:
        """A process of the API, and a run for each writer."""
        agents = await _agents(database, load.writers)
        async with sidecar_process.started(
            database.sidecar,
            folder,
            COXSWAIN_DATABASE_POOL=str(CONNECTIONS),
            COXSWAIN_AGENT_REQUESTS_PER_SECOND="100000",
        ) as sidecar:
            given = {"URL": sidecar.url, "AGENTS": json.dumps(agents)}
            yield _ours("api", load, sidecar.process.pid, **given)

    async def check(self, database: Database, events: int) -> None:
        """Once each, and in order."""
        await _check(database, events)


@dataclass(frozen=True)
class Queue:
    """A queue of Node, and the query that counts what it holds."""

    name: str
    held: str
    has_schema = False

    @asynccontextmanager
    async def opened(self, database: Database, load: Load, folder: Path) -> AsyncIterator[Writing]:
        """Writers in Node; it makes its own schema."""
        home = await asyncio.to_thread(node_packages.installed, couriers.PEERS)
        words = ["node", str(home / "ingest.mjs"), self.name]
        given = {"DSN": database.admin, "EVENT": json.dumps(EVENT), **load.variables()}
        yield Writing(words, given)

    async def check(self, database: Database, events: int) -> None:
        """As many as were put in."""
        await _holds(database, self.held, events)


class Copy:
    """No log at all: the same rows by COPY."""

    name = "bare COPY"
    has_schema = True

    @asynccontextmanager
    async def opened(self, database: Database, load: Load, folder: Path) -> AsyncIterator[Writing]:
        """Into a table of its own."""
        await _execute(database, *COPIED)
        yield _ours("copy", load, DSN=database.admin)

    async def check(self, database: Database, events: int) -> None:
        """As many as were written."""
        await _holds(database, "SELECT count(*) FROM copied", events)


ALL: tuple[Side, ...] = (
    Store(),
    Api(),
    Queue("graphile-worker", "SELECT count(*) FROM graphile_worker.jobs"),
    Queue("pg-boss", "SELECT count(*) FROM pgboss.job"),
    Copy(),
)


def load(events: int, writers: int) -> Load:
    """Batches as an agent sends them."""
    return Load(events, writers, BATCH_EVENTS, min(writers, CONNECTIONS))


def _ours(way: str, load: Load, server: int | None = None, **given: str) -> Writing:
    words = [sys.executable, "-m", ingest_process.__name__, way]
    more = {PREFIX + name: value for name, value in given.items()}
    return Writing(words, {**load.variables(), **more}, server)


async def _agents(database: Database, count: int) -> list[dict[str, str]]:
    """Runs that their pods may claim; the keys that sign the tokens stand where every replica finds them."""
    cluster = SigningCluster()
    found = []
    async with postgres.opened(database.operator) as operator:
        for number in range(count):
            new = rows.new_run(pod_name=f"pod-{number}")
            await operator.transact(runs.open_run, new)
            pod = Pod(new.workspace, new.service_account, new.pod_name, str(uuid4()))
            run = f"{new.key.job_uid}/{new.key.attempt}"
            found.append({"run": run, "token": cluster.token(pod)})
    await publish(database, cluster)
    return found


async def publish(database: Database, cluster: SigningCluster) -> None:
    """Keep the cluster's keys in Postgres, as a replica does that has read them."""
    async with postgres.opened(database.sidecar) as sidecar:
        published = {each["kid"]: each for each in cluster.published()}
        await sidecar.transact(keys.replace, IssuerKeys(ISSUER, published))


@asynccontextmanager
async def _process(writing: Writing) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *writing.words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=places.REPOSITORY,
        env={**os.environ, **writing.environment},
    )
    try:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), PREPARE_SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process, start: bytes, seconds: float) -> bytes:
    """The next line of this start; libraries may say things too. Raises AssertionError at the end."""
    assert process.stdout is not None
    async with asyncio.timeout(seconds):
        while line := await process.stdout.readline():
            if line.startswith(start):
                return line
    raise AssertionError("the writers have ended; the lines above say why")


async def _check(database: Database, events: int) -> None:
    connection = await asyncpg.connect(database.admin)
    found = await connection.fetchrow(OURS, RUN_OUTPUT.name)
    await connection.close()
    assert found is not None
    assert (found["good"], found["positions"]) == (events, events)


async def _holds(database: Database, query: str, events: int) -> None:
    connection = await asyncpg.connect(database.admin)
    assert await connection.fetchval(query) == events
    await connection.close()


async def _execute(database: Database, *statements: str) -> None:
    connection = await asyncpg.connect(database.admin)
    for each in statements:
        await connection.execute(each)
    await connection.close()
