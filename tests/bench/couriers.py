"""Who brings messages from Postgres to a receiver: our outbox, and two queues of Node.

Each has the same messages in a database of its own, brings so many at once at most, and notes each
message as done only after the receiver has taken it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from coxswain.api.deliveries import NewDelivery
from coxswain.store import deliveries
from devtools import children, node_packages, places, shell
from tests.bench import sender_process
from tests.support import postgres
from tests.support.postgres import Database, Server

KEY_BYTES = "YmVuY2htYXJrcyBzaWduIHdpdGggdGhpcyBrZXkhISE="
KEY = f"whsec_{KEY_BYTES}"
AT_ONCE = 32
BODY = json.dumps({"type": "job.succeeded", "data": {"text": "x" * 950}})
HOST = "receiver.test"
CHUNK = 1000
PEERS = Path(__file__).parent / "peers"


class Courier(Protocol):
    """One of them."""

    @property
    def name(self) -> str:
        """Of its column."""
        ...

    @property
    def left(self) -> str:
        """The query that counts what is not noted as done."""
        ...

    def database(self, server: Server) -> Database:
        """What it keeps messages in."""
        ...

    async def enqueue(self, database: Database, url: str, count: int) -> None:
        """Put messages in, before it works."""
        ...

    def start(self, database: Database, url: str, log: Path) -> subprocess.Popen[bytes]:
        """Its process at work."""
        ...


class Ours:
    """The outbox, and the sender of the egress gateway."""

    name = "Coxswain"
    left = "SELECT count(*) FROM deliveries WHERE state <> 'Delivered'"

    def database(self, server: Server) -> Database:
        """With our schema."""
        return server.create()

    async def enqueue(self, database: Database, url: str, count: int) -> None:
        """As the operator does, when Jobs have ended."""
        async with postgres.opened(database.operator) as store:
            for first in range(0, count, CHUNK):
                owed = [_owed(url, number) for number in range(first, min(count, first + CHUNK))]
                await store.transact(deliveries.owe, owed)

    def start(self, database: Database, url: str, log: Path) -> subprocess.Popen[bytes]:
        """The sender alone."""
        environment = {
            sender_process.DSN: database.gateway,
            sender_process.KEY: KEY,
            "COXSWAIN_CALLBACKS_ALLOWED_DOMAINS": json.dumps([HOST]),
            "COXSWAIN_CALLBACKS_ORIGINS": json.dumps([url.removesuffix("/hook")]),
            "COXSWAIN_CALLBACKS_SIGNING_SECRET": "bench",
            "COXSWAIN_CALLBACKS_PER_HOST": str(AT_ONCE),
            "PYTHONPATH": str(places.REPOSITORY),
        }
        words = [sys.executable, "-m", sender_process.__name__]
        return children.start(words, log, {**os.environ, **environment})


@dataclass(frozen=True)
class Queue:
    """A queue of Node: its script, and how it is asked what is left."""

    name: str
    left: str

    def database(self, server: Server) -> Database:
        """Empty; it makes its own schema."""
        return server.create(migrated=False)

    async def enqueue(self, database: Database, url: str, count: int) -> None:
        """By its own way in."""
        shell.run([*self._words, "enqueue", str(count)], env=self._environment(database, url))

    def start(self, database: Database, url: str, log: Path) -> subprocess.Popen[bytes]:
        """Its workers."""
        environment = {**os.environ, **self._environment(database, url)}
        return children.start([*self._words, "work"], log, environment)

    @property
    def _words(self) -> list[str | Path]:
        return ["node", node_packages.installed(PEERS) / f"{self.name}.mjs"]

    def _environment(self, database: Database, url: str) -> Mapping[str, str]:
        return {
            "DSN": database.admin,
            "URL": url.replace(HOST, "127.0.0.1"),
            "AT_ONCE": str(AT_ONCE),
            "BODY": BODY,
            "KEY": KEY_BYTES,
        }


ALL: tuple[Courier, ...] = (
    Ours(),
    Queue("graphile-worker", "SELECT count(*) FROM graphile_worker.jobs"),
    Queue("pg-boss", "SELECT count(*) FROM pgboss.job WHERE state <> 'completed'"),
)


def versions() -> dict[str, str]:
    """Of Node and of the queues."""
    pinned: dict[str, str] = json.loads((PEERS / "package.json").read_text())["dependencies"]
    return {"Node": node_packages.node_version(), **pinned}


def _owed(url: str, number: int) -> NewDelivery:
    return NewDelivery(
        id=uuid4(),
        workspace="bench",
        job_uid=str(uuid4()),
        job_name=f"j{number:06}",
        type="job.succeeded",
        url=url,
        host=HOST,
        body=BODY,
    )
