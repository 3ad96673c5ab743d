"""The sidecar API as a running process: real ports on loopback, real Postgres, a fake API server."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest_asyncio
from pydantic import SecretStr

from coxswain.settings import SidecarSettings
from coxswain.sidecar import process
from coxswain.sidecar.live_stream import Pace
from coxswain.store import mirror, runs
from coxswain.store.claims import Pod
from coxswain.store.mirror import ObjectRow
from coxswain.store.pool import Store
from coxswain.store.runs import NewRun
from tests.support import rows
from tests.support.objects import FakeCluster
from tests.support.postgres import Database

LOCAL_TOKEN = "a-local-token-of-the-tests"
PACE = tuple(field.name for field in fields_of(Pace))


@dataclass(frozen=True)
class Api:
    """A running API, and what stands around it."""

    url: str
    health_url: str
    user: aiohttp.ClientSession
    anybody: aiohttp.ClientSession
    cluster: FakeCluster
    operator: Store

    def as_pod(self, pod: Pod, **claims: Any) -> dict[str, str]:
        """The headers of a request of this pod."""
        return {"Authorization": f"Bearer {self.cluster.token(pod, **claims)}"}

    async def opened(self, **fields: Any) -> tuple[NewRun, Pod]:
        """A run as the operator opens it, and the pod that may claim it."""
        new = rows.new_run(**fields)
        await self.operator.transact(runs.open_run, new)
        return new, rows.pod(name=new.pod_name)

    async def claimed(self, **fields: Any) -> tuple[NewRun, Pod, dict[str, str]]:
        """A run that its pod has claimed, and the pod's headers."""
        new, pod = await self.opened(**fields)
        headers = self.as_pod(pod)
        run = f"{new.key.job_uid}/{new.key.attempt}"
        async with self.anybody.post("/v1/run/claim", json={"run": run}, headers=headers) as answer:
            assert answer.status == 200
        return new, pod, headers

    async def key(self, role: str = "Admin", **fields: Any) -> dict[str, str]:
        """The headers of a machine, whose key is made for it."""
        return (await self.made_key(role, **fields))[1]

    async def made_key(self, role: str = "Admin", **fields: Any) -> tuple[str, dict[str, str]]:
        """A key's id, and the headers of its machine."""
        wanted = {"name": "ci", "role": role, **fields}
        async with self.user.post("/v1/keys", json=wanted) as answer:
            made = await answer.json()
            assert answer.status == 201, made
        return made["id"], {"Authorization": f"Bearer {made['secret']}"}

    async def mirrored(self, name: str, **fields: Any) -> ObjectRow:
        """An object as the operator has mirrored it."""
        row = object_row(name, **fields)
        await self.operator.transact(mirror.write, [row], [])
        return row


def object_row(
    name: str, *, phase: str = "Queued", kind: str = "Job", version: int = 1, **fields: Any
) -> ObjectRow:
    """The mirror's row of a whole object."""
    row = rows.job(name, version, phase=phase, kind=kind, **fields)
    body = {
        "apiVersion": "coxswain.dev/v1alpha1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": row.workspace,
            "uid": row.uid,
            "generation": 1,
            "resourceVersion": row.resource_version,
            "creationTimestamp": row.created_at.isoformat(),
        },
        "spec": row.body["spec"],
        "status": {"phase": phase},
    }
    return ObjectRow(**{**vars(row), "body": body})


@asynccontextmanager
async def running(
    database: Database,
    operator: Store,
    folder: Path,
    **settings: Any,
) -> AsyncIterator[Api]:
    """A process of its own for the length of a block; where people sign in, it keeps the local token too.

    ``trusting``, an ``SSLContext``: how its door is come to, where the settings give it a certificate.
    """
    trusting: ssl.SSLContext | None = settings.pop("trusting", None)
    pace = Pace(**{name: settings.pop(name) for name in PACE if name in settings})
    token_file = folder / f"token-{uuid4().hex}"
    token_file.write_text(LOCAL_TOKEN)
    given = SidecarSettings(
        database_dsn=SecretStr(database.sidecar),
        bind="127.0.0.1",
        port=0,
        health_port=0,
        installation="test",
        **{"local_token_file": token_file, "local_token_kept": True, "mode": "dev", **settings},
    )
    cluster = FakeCluster()
    async with AsyncExitStack() as stack:
        ports = await stack.enter_async_context(
            process.running(given, cluster, leave_seconds=0, pace=pace)
        )
        url = f"{'http' if trusting is None else 'https'}://127.0.0.1:{ports.api}"
        known = {"Authorization": f"Bearer {LOCAL_TOKEN}"}

        def session(headers: dict[str, str]) -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(ssl=trusting or True)
            return aiohttp.ClientSession(url, headers=headers, connector=connector)

        user = await stack.enter_async_context(session(known))
        anybody = await stack.enter_async_context(session({}))
        yield Api(url, f"http://127.0.0.1:{ports.health}", user, anybody, cluster, operator)


@pytest_asyncio.fixture
async def api(database: Database, operator_store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    """The API for one test."""
    async with running(database, operator_store, tmp_path) as started:
        yield started
