"""The way from outside to a Job: a gateway under its own account, requests, and the ticks of them."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from coxswain.api.kind import Schedule
from coxswain.api.ticks import Tick
from coxswain.kube import paths
from coxswain.store import mirror, ticks
from tests.support import builders, channels, postgres
from tests.support.channels import KEY, Gateway, signed
from tests.support.leader import HOME, Installation
from tests.support.postgres import Database
from tests.support.workspace import Workspace

GATEWAY = f"system:serviceaccount:{HOME}:coxswain-channels"
SECONDS = 40.0
HOOK = {"scheme": "StandardWebhooks", "secretRef": {"name": "hooks"}}


@asynccontextmanager
async def gateway(
    installation: Installation, database: Database, **settings: Any
) -> AsyncIterator[Gateway]:
    """A gateway under its own account."""
    kubeconfig = installation.plane.kubeconfig_for(GATEWAY)
    async with channels.started(database, kubeconfig, **settings) as started:
        assert (await started.is_ready())["status"] == 200
        yield started


async def has_schedule(workspace: Workspace, database: Database, **trigger: Any) -> str:
    """A Schedule that the records know of; its uid."""
    raw = await workspace.apply(builders.schedule("s", "a").with_trigger(**trigger))
    uid: str = Schedule.parse(raw).metadata.uid
    async with postgres.opened(database.gateway) as store, asyncio.timeout(SECONDS):
        while await store.run(mirror.get, "Schedule", workspace.namespace, "s") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return uid


async def has_secret(workspace: Workspace) -> None:
    """The Secret that its requests are signed with."""
    secret = {
        "metadata": {"name": "hooks"},
        "type": "coxswain.dev/channel",
        "data": {"key": base64.b64encode(KEY.encode()).decode()},
    }
    await workspace.client.create(paths.collection("secrets", workspace.namespace), secret)


async def post(started: Gateway, workspace: Workspace, name: str, key: str = KEY) -> int:
    """Send a signed request; its status."""
    url = f"{started.url}/v1/hooks/{workspace.namespace}/s"
    headers = signed(b"{}", name, key=key)
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=b"{}", headers=headers) as answer,
    ):
        return answer.status


async def fired(database: Database, uid: str, count: int) -> list[Tick]:
    """The ticks of a Schedule, once so many have their Job."""
    async with postgres.opened(database.sidecar) as store, asyncio.timeout(SECONDS):
        while True:
            rows = await store.run(ticks.page, uid, None, limit=500)
            if sum(row.outcome == "Fired" for row in rows) >= count:
                return list(rows)
            await asyncio.sleep(0.05)
