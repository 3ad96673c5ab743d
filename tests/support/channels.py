"""The channel gateway as a running process: real ports on loopback, real Postgres, Schedules in the mirror."""

import asyncio
import base64
import hashlib
import hmac
import io
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
from pydantic import SecretStr

from coxswain.api.triggers import Trigger
from coxswain.channel_settings import ChannelGatewaySettings
from coxswain.gateway.channels import process
from coxswain.rules import signing
from coxswain.store import mirror, triggers
from coxswain.store.pool import Store
from devtools import children
from tests.support import rows
from tests.support.objects import FakeCluster
from tests.support.postgres import Database, opened

HERE = "127.0.0.1"
KEY = "whsec_" + base64.b64encode(b"c" * 32).decode()
OTHER_KEY = "whsec_" + base64.b64encode(b"x" * 32).decode()


@dataclass(frozen=True)
class Said:
    """An answer of the gateway."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass
class Channels:
    """What a test may set and see."""

    database: Database
    operator: Store
    session: aiohttp.ClientSession
    cluster: FakeCluster = field(default_factory=FakeCluster)
    url: str = ""
    health_url: str = ""
    port: int = 0
    version: int = 0
    workspace: str = field(default_factory=lambda: f"w{uuid4().hex[:8]}")

    async def schedule(self, name: str, **spec: Any) -> str:
        """A Schedule as the mirror holds it; the same name again is an edit. Its uid."""
        found = await self.operator.run(mirror.last, "Schedule", self.workspace, name)
        self.version += 1
        row = rows.job(
            name,
            self.version,
            uid=found.uid if found is not None else str(uuid4()),
            kind="Schedule",
            workspace=self.workspace,
            spec=spec,
        )
        await self.operator.transact(mirror.write, [row], [])
        return row.uid

    async def hook(
        self, name: str = "deploy", scheme: str = "StandardWebhooks", **more: Any
    ) -> str:
        """A Schedule with a webhook, and its Secret."""
        self.secret("hooks", key=KEY)
        webhook = {"scheme": scheme, "secretRef": {"name": "hooks"}, **more.pop("webhook", {})}
        return await self.schedule(name, webhook=webhook, **more)

    def secret(self, name: str, kind: str = "coxswain.dev/channel", **data: str) -> None:
        """A Secret of the workspace."""
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        path = f"/api/v1/namespaces/{self.workspace}/secrets/{name}"
        self.cluster.objects[path] = {"type": kind, "data": encoded}

    async def post(
        self,
        body: bytes = b"{}",
        headers: Mapping[str, str] | None = None,
        *,
        hook: str = "deploy",
        path: str | None = None,
        method: str = "POST",
    ) -> Said:
        """Send a request as it is, to a hook of the workspace or to any path."""
        place = self.url + (path or f"/v1/hooks/{self.workspace}/{hook}")
        asked = self.session.request(method, place, data=io.BytesIO(body), headers=headers)
        async with asked as answer:
            text = await answer.text()
            said = json.loads(text) if text else {}
            return Said(answer.status, answer.headers, said)

    async def send(
        self, body: bytes = b"{}", message_id: str = "msg_1", *, key: str = KEY, ago: int = 0
    ) -> Said:
        """Send a request signed as Standard Webhooks, so many seconds ago."""
        return await self.post(body, signed(body, message_id, key=key, ago=ago))

    async def taken(self, uid: str) -> tuple[Trigger, ...]:
        """What was recorded of a Schedule and is not handled."""
        return (await self.operator.run(triggers.open_of, [uid]))[uid]

    async def body(self, trigger: Trigger) -> str:
        """What a delivery said."""
        connection = await asyncpg.connect(self.database.admin)
        try:
            return str(
                await connection.fetchval("SELECT body FROM triggers WHERE id = $1", trigger.id)
            )
        finally:
            await connection.close()

    async def metric(self, line: str) -> float:
        """A series as Prometheus reads it; 0 where it is not there yet."""
        async with self.session.get(f"{self.health_url}/metrics") as answer:
            for each in (await answer.text()).splitlines():
                if each.startswith(f"{line} "):
                    return float(each.rpartition(" ")[2])
        return 0.0


def signed(
    body: bytes, message_id: str = "msg_1", *, key: str = KEY, ago: int = 0
) -> dict[str, str]:
    """Headers of Standard Webhooks."""
    at = int(time.time()) - ago
    return signing.headers(message_id, at, body, [signing.read(key)])


def plain(body: bytes, key: str = KEY) -> str:
    """A bare HMAC of a body, in hexadecimal."""
    return hmac.digest(key.encode(), body, hashlib.sha256).hex()


async def loopback(_host: str, _port: int) -> list[str]:
    """Every name is this machine."""
    return [HERE]


@dataclass
class Gateway:
    """A process of its own, as in a pod."""

    process: asyncio.subprocess.Process
    url: str
    health_url: str

    async def kill(self) -> None:
        """End it as a machine would that loses power."""
        self.process.kill()
        await self.process.wait()

    async def is_ready(self) -> dict[str, Any]:
        """What it says of itself, once it serves."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            while True:
                try:
                    async with session.get(f"{self.health_url}/readyz") as answer:
                        return {"status": answer.status, **await answer.json()}
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)


@asynccontextmanager
async def started(
    database: Database, kubeconfig: Path, output: int | None = None, /, **settings: Any
) -> AsyncIterator[Gateway]:
    """``coxswain channels`` for the length of a block; what it says goes to ours, or to ``output``."""
    port, health_port = children.free_port(), children.free_port()
    wanted = {
        "database_dsn": database.gateway,
        "bind": HERE,
        "port": port,
        "health_port": health_port,
        "kubeconfig": kubeconfig,
        "installation": "test",
        "mode": "dev",
        "polls_round_seconds": "0.05",
        **{name: json.dumps(value) for name, value in settings.items()},
    }
    environment = {f"COXSWAIN_{name.upper()}": str(value) for name, value in wanted.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "coxswain", "channels"),
        env={**os.environ, **environment},
        stdout=output,
        stderr=output,
    )
    try:
        yield Gateway(process, f"http://{HERE}:{port}", f"http://{HERE}:{health_port}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def running(
    database: Database, *, like: Channels | None = None, **settings: Any
) -> AsyncIterator[Channels]:
    """A process of its own for the length of a block; ``like`` another: a replica of it."""
    given = ChannelGatewaySettings(
        database_dsn=SecretStr(database.gateway),
        bind=HERE,
        port=0,
        health_port=0,
        installation="test",
        mode="dev",
        **{"polls_round_seconds": 0.02, **settings},
    )
    async with opened(database.operator) as operator, aiohttp.ClientSession() as session:
        channels = Channels(database, operator, session)
        if like is not None:
            channels.workspace, channels.cluster = like.workspace, like.cluster
        inside = process.running(
            given, channels.cluster, leave_seconds=0, drain_seconds=0.1, resolve=loopback
        )
        async with inside as ports:
            channels.port = ports.door
            channels.url = f"http://{HERE}:{ports.door}"
            channels.health_url = f"http://{HERE}:{ports.health}"
            yield channels
