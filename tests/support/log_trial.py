"""Events are written and read while writers, replicas of the API and Postgres are killed as by a crash.

Writers are the agent program's own recorder; one that was killed is followed by the next attempt of its Job,
as the operator does it. A reader follows the live log from whichever replica answers. In the end the log is
held against what every writer heard was kept.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg

from coxswain.errors import TransientError
from coxswain.store import keys, runs
from coxswain.store.claims import Pod
from coxswain.store.keys import IssuerKeys
from devtools import places
from tests.support import log_history, log_writer, postgres, rows, sidecar_process
from tests.support.killable_postgres import KillablePostgres
from tests.support.log_history import Attempt, Standing, Verdict, Walk
from tests.support.postgres import Database
from tests.support.sidecar_process import TOKEN, Sidecar
from tests.support.tokens import ISSUER, SigningCluster

KINDS = WRITER, SIDECAR, POSTGRES = "writer", "sidecar", "Postgres"
WRITERS, SIDECARS = 4, 2
LOOK_SECONDS = 0.02
# Nobody has to wait for longer than the agent program's longest pause and a start.
STALLED_SECONDS = 90.0
TOKEN_HOURS = 12
LIVE = {"Accept": "text/event-stream", "Authorization": f"Bearer {TOKEN}"}
ROOTS = (places.REPOSITORY, *(places.REPOSITORY / each for each in ("operator", "images/agent")))
STANDING = (
    "SELECT uid::text, attempt, count(*) AS rows, count(DISTINCT seq) AS numbers, max(seq) AS highest,"
    " count(*) FILTER (WHERE seq < before) AS falls FROM (SELECT uid, attempt, seq,"
    " lag(seq) OVER (PARTITION BY uid, attempt ORDER BY position) AS before"
    " FROM events WHERE seq IS NOT NULL) AS each GROUP BY uid, attempt"
)
POSITIONS = (
    "SELECT count(*) AS rows, count(DISTINCT position) AS positions, count(DISTINCT id) AS ids,"
    " coalesce(max(position), 0) AS last FROM events"
)


@dataclass(frozen=True)
class History:
    """What became of it."""

    events: int
    runs: int
    kills: Counter[str]
    verdict: Verdict
    holes: int
    """Positions of the log at which no event stands, or more than one."""
    walk: Walk
    """What the reader was given."""
    streams: int
    """How often it began anew."""
    refused: Counter[int]
    """Statuses other than 200 that it was answered."""
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, repeated or out of order, in the log or for its reader."""
        clean = self.verdict == Verdict() and (self.holes, self.walk.repeated) == (0, 0)
        # The reader had to wait sometimes, but was never told that it asks for something wrong.
        return clean and self.walk.skipped == 0 and set(self.refused) <= {503}


@dataclass
class Part:
    """A process that is killed now and then; None while it is not there."""

    name: str
    process: asyncio.subprocess.Process | None = None
    was_killed: bool = False

    def kill(self) -> None:
        """End it as a crash does."""
        assert self.process is not None
        self.was_killed = True
        self.process.kill()
        self.process = None


@dataclass
class Trial:
    """One of them. ``events`` are written at least, and meanwhile ``kills`` happen."""

    server: KillablePostgres
    database: Database
    folder: Path
    events: int
    kills: int
    seed: int = 1
    say: Callable[[str], None] = lambda _text: None
    _walk: Walk = field(default_factory=Walk)
    _killed: Counter[str] = field(default_factory=Counter)
    _refused: Counter[int] = field(default_factory=Counter)
    _streams: int = 0
    _is_over: bool = False
    _written: dict[Attempt, int] = field(default_factory=dict)

    async def run(self) -> History:
        """Do it."""
        began = time.monotonic()
        self._chance = random.Random(self.seed)  # noqa: S311 - a walk by chance
        self._cluster = SigningCluster()
        self._writers = [Part(f"writer {number}") for number in range(WRITERS)]
        self._sidecars = [Part(f"sidecar {number}") for number in range(SIDECARS)]
        self._ports = [sidecar_process.free_port() for _ in self._sidecars]
        async with postgres.opened(self.database.operator) as self._operator:
            await self._publish()
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read())
                sidecars = [group.create_task(self._serve(n)) for n in range(SIDECARS)]
                await self._until(lambda: all(part.process for part in self._sidecars), "sidecars")
                writers = [group.create_task(self._write(part)) for part in self._writers]
                await self._kill_all()
                await self._end(writers)
                for each in (reader, *sidecars):
                    each.cancel()
            return await self._history(time.monotonic() - began)

    # -- what happens ------------------------------------------------------------------------

    async def _kill_all(self) -> None:
        """One after the other, spread over the events."""
        kinds = [KINDS[number % len(KINDS)] for number in range(self.kills)]
        self._chance.shuffle(kinds)
        for number, kind in enumerate(kinds, 1):
            await self._come(self.events * number // (self.kills + 1))
            await asyncio.sleep(self._chance.random() * LOOK_SECONDS)
            await self._kill(kind)
            self._killed[kind] += 1
            self.say(f"{number} of {self.kills} kills, {self._walk.last:,} events: {kind}")
        await self._come(self.events)

    async def _kill(self, kind: str) -> None:
        if kind == POSTGRES:
            self.server.kill()
            self.server.start()
            await self.server.ready()
            return
        parts = self._writers if kind == WRITER else self._sidecars
        await self._until(lambda: any(part.process for part in parts), f"a {kind}")
        self._chance.choice([part for part in parts if part.process]).kill()

    async def _come(self, position: int) -> None:
        """Wait until the reader has come so far. Raises AssertionError where nothing moves."""
        while self._walk.last < position:
            last = self._walk.last
            target = min(position, last + 1)
            await self._until(lambda: self._walk.last >= target, f"position {target}")  # noqa: B023

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + STALLED_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            await asyncio.sleep(LOOK_SECONDS)

    async def _end(self, writers: "list[asyncio.Task[None]]") -> None:
        """Let the writers send what they have, and the reader read it."""
        self._is_over = True
        await self._until(lambda: all(part.process for part in self._writers), "the writers")
        for part in self._writers:
            assert part.process is not None
            assert part.process.stdin is not None
            part.process.stdin.close()
        await asyncio.gather(*writers)
        await self._come((await self._positions())["last"])

    # -- who takes part ----------------------------------------------------------------------

    async def _serve(self, number: int) -> None:
        """A replica, again and again, at the same port."""
        part = self._sidecars[number]
        while True:
            async with self._sidecar(self._ports[number]) as sidecar:
                part.was_killed, part.process = False, sidecar.process
                code = await sidecar.process.wait()
            assert part.was_killed, f"{part.name} ended by itself with {code}"

    def _sidecar(self, port: int) -> "contextlib.AbstractAsyncContextManager[Sidecar]":
        return sidecar_process.started(
            self.database.sidecar,
            self.folder,
            COXSWAIN_PORT=str(port),
            COXSWAIN_LOG_LEVEL="warning",
            COXSWAIN_AGENT_REQUESTS_PER_SECOND="100000",
        )

    async def _write(self, part: Part) -> None:
        """A Job: one attempt after the other, until it is over."""
        job_uid, number = str(uuid4()), 0
        while True:
            number += 1
            run = Attempt(job_uid, number)
            environment = await self._environment(run)
            async with _process(environment, self.folder / "writers") as process:
                self._written[run] = 0
                part.was_killed, part.process = False, process
                assert process.stdout is not None
                told = await process.stdout.read()
                code = await process.wait()
            if not part.was_killed:
                assert (self._is_over, code) == (True, 0), f"{part.name} ended with {code}"
                self._written[run] = int(told)
                return
            assert code == -signal.SIGKILL

    async def _environment(self, run: Attempt) -> dict[str, str]:
        """Open the run, as the operator does before it makes the pod; what its pod is given."""
        new = rows.new_run(run.job_uid, run.number, job_name=f"job-{run.job_uid[:8]}")
        await _persist(lambda: self._operator.transact(runs.open_run, new))
        pod = Pod(new.workspace, new.service_account, new.pod_name, str(uuid4()))
        ends = datetime.now(UTC) + timedelta(hours=TOKEN_HOURS)
        token = self._notes(run).with_suffix(".token")
        token.write_text(self._cluster.token(pod, exp=ends))
        return {
            log_writer.URLS: " ".join(f"http://127.0.0.1:{port}" for port in self._ports),
            log_writer.RUN: f"{run.job_uid}/{run.number}",
            log_writer.TOKEN_FILE: str(token),
            log_writer.NOTES_FILE: str(self._notes(run)),
        }

    async def _read(self) -> None:
        """Follow the log: wherever a stream ends, go on at the next replica."""
        turn = 0
        limits = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
        async with aiohttp.ClientSession(headers=LIVE, timeout=limits) as session:
            while True:
                turn += 1
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                    await self._follow(session, self._ports[turn % SIDECARS])
                await asyncio.sleep(LOOK_SECONDS)

    async def _follow(self, session: aiohttp.ClientSession, port: int) -> None:
        url = f"http://127.0.0.1:{port}/v1/events?after=0"
        known = {"Last-Event-ID": str(self._walk.last)} if self._walk.last else {}
        async with session.get(url, headers=known) as answer:
            if answer.status != 200:
                self._refused[answer.status] += 1
                return
            self._streams += 1
            async for line in answer.content:
                if line.startswith(b"id: "):
                    self._walk.take(int(line[4:]))

    async def _publish(self) -> None:
        """Keep the keys of the pods' tokens where every replica finds them."""
        async with postgres.opened(self.database.sidecar) as sidecar:
            published = {each["kid"]: each for each in self._cluster.published()}
            await sidecar.transact(keys.replace, IssuerKeys(ISSUER, published))

    # -- what became of it -------------------------------------------------------------------

    async def _history(self, seconds: float) -> History:
        positions = await self._positions()
        found = await self._fetch(STANDING)
        standing = {
            Attempt(row["uid"], row["attempt"]): Standing(
                row["rows"], row["numbers"], row["highest"], row["falls"]
            )
            for row in found
        }
        return History(
            events=sum(each.rows for each in standing.values()),
            runs=len(self._written),
            kills=self._killed,
            verdict=log_history.judge(standing, self._taken()),
            holes=positions["last"] - min(positions["positions"], positions["ids"]),
            walk=self._walk,
            streams=self._streams,
            refused=self._refused,
            seconds=seconds,
        )

    def _taken(self) -> dict[Attempt, int]:
        """What each writer heard was kept, and of those that came to their end all that they wrote."""
        found = {}
        for run, written in self._written.items():
            notes = self._notes(run)
            lines = notes.read_text().splitlines(keepends=True) if notes.exists() else []
            found[run] = max(written, log_history.last_number(lines))
        return found

    def _notes(self, run: Attempt) -> Path:
        return self.folder / f"{run.job_uid}-{run.number}.notes"

    async def _positions(self) -> Any:
        return (await self._fetch(POSITIONS))[0]

    async def _fetch(self, query: str) -> list[Any]:
        connection = await asyncpg.connect(self.database.admin)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()


@asynccontextmanager
async def _process(
    environment: dict[str, str], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A pod's program; of what it waits for it tells in a file."""
    with log.open("a") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            log_writer.__name__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            cwd=places.REPOSITORY,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(map(str, ROOTS)),
                "PYTHONPYCACHEPREFIX": sys.pycache_prefix or "",
                **environment,
            },
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _persist(attempt: Callable[[], Awaitable[Any]]) -> None:
    """Call until Postgres is there again."""
    async with asyncio.timeout(STALLED_SECONDS):
        while True:
            with contextlib.suppress(TransientError):
                await attempt()
                return
            await asyncio.sleep(LOOK_SECONDS)
