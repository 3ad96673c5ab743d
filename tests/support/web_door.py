"""The web door as a running process: a real port on loopback, real Postgres, tokens of a test's own cluster."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from coxswain.api.egress import EgressHost
from coxswain.gateway.egress import process
from coxswain.settings import EgressGatewaySettings
from coxswain.store import claims, events, runs
from coxswain.store.claims import Pod
from coxswain.store.pool import Store
from coxswain.store.runs import RunKey
from tests.support import rows
from tests.support.objects import FakeCluster
from tests.support.postgres import Database, opened

HERE = "127.0.0.1"
SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """What the door said to a CONNECT."""

    status: int
    line: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Tunnel:
    """A connection to the door, and through it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answer: Answer

    async def secure(self, context: ssl.SSLContext, name: str | None) -> None:
        """Speak TLS in it."""
        context.check_hostname = name is not None and context.check_hostname
        await self.writer.start_tls(context, server_hostname=name)

    async def get(self, path: str) -> bytes:
        """Ask the host for a path."""
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        return await self.reader.readexactly(length)

    async def ended(self) -> bytes:
        """Wait for the end; what came before it."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self.reader.read()
        except OSError:
            return b""


@dataclass
class WebDoor:
    """What a test may set and see. ``names`` is the name server of the door."""

    port: int
    cluster: FakeCluster
    database: Database
    operator: Store
    sidecar: Store
    names: dict[str, list[str]] = field(default_factory=dict)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    trusting: ssl.SSLContext | None = None
    """How it is come to, where it has a certificate."""

    @property
    def url(self) -> str:
        """Its address, as agents' pods get it."""
        return f"{'http' if self.trusting is None else 'https'}://{HERE}:{self.port}"

    async def opened(self, *hosts: EgressHost, most: int | None = None) -> tuple[RunKey, Pod]:
        """A run whose Agent lists these hosts, so many bytes at most, and the pod that may claim it."""
        new = rows.new_run()
        given = {"egress": list(hosts), "egress_bytes": most}
        document = new.document.model_copy(update=given)
        await self.operator.transact(runs.open_run, replace(new, document=document))
        return new.key, rows.pod(name=new.pod_name)

    async def claimed(self, *hosts: EgressHost, most: int | None = None) -> tuple[RunKey, str]:
        """The same, claimed; its token."""
        key, pod = await self.opened(*hosts, most=most)
        await self.sidecar.transact(claims.claim, key, pod)
        return key, self.cluster.token(pod)

    async def connect(
        self, target: str, token: str | None, *, scheme: str = "Bearer", early: bytes = b""
    ) -> Tunnel:
        """Ask for a tunnel."""
        given = token or ""
        if scheme == "Basic":
            given = base64.b64encode(f"any:{given}".encode()).decode()
        known = f"Proxy-Authorization: {scheme} {given}\r\n" if token is not None else ""
        head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{known}\r\n"
        return await self.send(head.encode() + early)

    async def send(self, request: bytes) -> Tunnel:
        """Send bytes, and read the head of the answer; of a refusal also its body."""
        reader, writer = await asyncio.open_connection(HERE, self.port, ssl=self.trusting)
        self.writers.append(writer)
        writer.write(request)
        async with asyncio.timeout(SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value
                for name, _, value in (each.partition(": ") for each in head[1:])
            }
            _, status, line = head[0].split(" ", 2)
            body = json.loads(await reader.read()) if status != "200" else {}
        return Tunnel(reader, writer, Answer(int(status), line, headers, body))

    async def told(self, key: RunKey, least: int) -> list[events.Event]:
        """What the log says of a run's connections, once it says at least so much."""
        which = events.Filter(type="run.egress.", uid=key.job_uid)
        async with asyncio.timeout(SECONDS):
            while True:
                page = await self.operator.run(events.after, 0, which)
                assert isinstance(page, events.Page)
                if len(page.events) >= least:
                    return [each.event for each in page.events]
                await asyncio.sleep(0.01)

    async def resolve(self, host: str, _port: int) -> list[str]:
        """The door's name server."""
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]


@asynccontextmanager
async def running(
    database: Database,
    *,
    allowed: Sequence[str] = (HERE,),
    cluster: FakeCluster | None = None,
    trusting: ssl.SSLContext | None = None,
    **settings: Any,
) -> AsyncIterator[WebDoor]:
    """A process of its own for the length of a block."""
    given = EgressGatewaySettings(
        database_dsn=SecretStr(database.gateway),
        bind=HERE,
        port=0,
        health_port=0,
        installation="test",
        mode="dev",
        egress_allowed_networks=list(allowed),
        **{"egress_recheck_seconds": 0.05, **settings},
    )
    async with opened(database.operator) as operator, opened(database.sidecar) as sidecar:
        door = WebDoor(0, cluster or FakeCluster(), database, operator, sidecar)
        door.trusting = trusting
        door.names = {name: [HERE] for name in ("listed.example", "a.below.example")}
        started = process.running(
            given, door.cluster, leave_seconds=0, drain_seconds=0.1, resolve=door.resolve
        )
        async with started as ports:
            door.port = ports.door
            yield door
        for writer in door.writers:
            writer.transport.abort()
        await asyncio.gather(*(each.wait_closed() for each in door.writers), return_exceptions=True)
