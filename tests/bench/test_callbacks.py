"""Callbacks per second: our outbox beside two queues of Node on the same Postgres, in turns.

A backlog is put in, the statistics of its tables are taken, then one process works it off. Run it with
`hack/bench callbacks`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from devtools import children, places
from tests.bench import couriers, receiver_process, spending
from tests.bench.conftest import Asked
from tests.bench.couriers import Courier
from tests.bench.figures import Figure
from tests.bench.report import Report
from tests.bench.spending import Meter
from tests.support.postgres import Database, Server

MESSAGES = 10_000
LONGEST_SECONDS = 300.0
LOOK_SECONDS = 0.005
LINES = [
    Figure("deliveries/s", "more", 0),
    Figure("sender, CPU ms per delivery", "less"),
    Figure("Postgres, CPU ms per delivery", "less"),
    Figure("receiver, CPU ms per delivery"),
    Figure("others on the machine, CPU ms per delivery"),
    Figure("sender, peak MB", "less", 0),
    Figure("connections", digits=0),
    Figure("came again", digits=0),
]


def test_a_backlog_of_callbacks(asked: Asked, durable: Server, tmp_path: Path) -> None:
    count = asked.size or MESSAGES
    setting = f"{count:,} messages of {len(couriers.BODY)} bytes, {couriers.AT_ONCE} at once"
    by_name = {each.name: each for each in couriers.ALL}
    report = Report("Callbacks", setting, list(by_name), LINES, asked.json, couriers.versions())
    for run in range(asked.runs):
        for name in report.order(run):
            database = by_name[name].database(durable)
            bench = Bench(by_name[name], durable, database, tmp_path / f"{name}-{run}.log")
            report.add(name, asyncio.run(bench.run(count)))
            durable.drop(database)
    print(f"\n\n{report.text()}\n")


@dataclass(frozen=True)
class Receiver:
    """The process that takes messages, and what it says of them."""

    pid: int
    port: int
    session: aiohttp.ClientSession

    async def seen(self) -> dict[str, Any]:
        """Messages, again, refused, connections, first, last."""
        async with self.session.get(f"http://127.0.0.1:{self.port}/seen") as response:
            found: dict[str, Any] = await response.json(content_type=None)
            return found

    async def has(self, messages: int) -> dict[str, Any]:
        """The same, once so many messages came."""
        async with asyncio.timeout(LONGEST_SECONDS):
            while (found := await self.seen())["messages"] < messages:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS if messages == 1 else 10 * LOOK_SECONDS)
        return found


@dataclass(frozen=True)
class Bench:
    """One run of one of them."""

    courier: Courier
    server: Server
    database: Database
    log: Path

    async def run(self, count: int) -> dict[str, float]:
        """Work off so many messages; every one must be taken, and noted as done."""
        async with _receiver() as receiver:
            url = f"http://{couriers.HOST}:{receiver.port}/hook"
            await self.courier.enqueue(self.database, url, count)
            await _execute(self.database.admin, "ANALYZE")
            process = self.courier.start(self.database, url, self.log)
            try:
                return await self._watch(process.pid, receiver, count)
            except BaseException:
                sys.stderr.write(children.tail(self.log, 40))
                raise
            finally:
                children.stop(process)

    async def _watch(self, pid: int, receiver: Receiver, count: int) -> dict[str, float]:
        assert self.server.pid is not None, "the CPU of a server elsewhere cannot be seen"
        meter = Meter({"sender": pid, "receiver": receiver.pid}, {"Postgres": self.server.pid})
        # From the first message on, so that nobody's start counts.
        begun = (await receiver.has(1))["messages"]
        before = meter.read()
        seen = await receiver.has(count)
        await self._all_noted()
        spent, sent = meter.read().since(before), count - begun
        assert seen["refused"] == 0, "messages came without a right signature"
        return {
            "deliveries/s": (count - 1) / (seen["last"] - seen["first"]),
            **{f"{name}, CPU ms per delivery": 1000 * each / sent for name, each in spent.items()},
            "sender, peak MB": spending.peak_megabytes(pid),
            "connections": seen["connections"],
            "came again": seen["again"],
        }

    async def _all_noted(self) -> None:
        connection = await asyncpg.connect(self.database.admin)
        async with asyncio.timeout(LONGEST_SECONDS):
            while await connection.fetchval(self.courier.left):  # noqa: ASYNC110
                await asyncio.sleep(20 * LOOK_SECONDS)
        await connection.close()


@asynccontextmanager
async def _receiver() -> AsyncIterator[Receiver]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        receiver_process.__name__,
        couriers.KEY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=places.REPOSITORY,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        async with aiohttp.ClientSession() as session:
            yield Receiver(process.pid, port, session)
    finally:
        process.stdin.close()
        await process.wait()


async def _execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    for each in statements:
        await connection.execute(each)
    await connection.close()
