"""A webhook takes deliveries, and its gateway dies under one; each is sent until it is taken, and makes one Job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from coxswain.store import ticks
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support import builders, channels, outside
from tests.support.channels import Gateway

DELIVERIES = ("msg_1", "msg_2", "msg_3")
WELL = ended("Succeeded", "Succeeded/Completed")
ENDS = Ends(jobs={"s-*": (WELL,) * len(DELIVERIES)}, pods=3, effects=3)
SCRIPT = agents.answers()
TAKEN = 202
LOOK_SECONDS = 0.1


async def play(scene: Scene) -> None:
    """One Agent, one Schedule, two gateways one after the other, three deliveries."""
    await scene.workspace.has_agent()
    await outside.has_secret(scene.workspace)
    hook = builders.schedule("s", "a").with_trigger(webhook=outside.HOOK)
    await scene.workspace.apply(hook.with_spec(overlap="AllowAll"))
    first, *others = DELIVERIES
    async with _gateway(scene) as gateway:
        await _send(scene, gateway, first)
        under_way = [asyncio.create_task(_send(scene, gateway, each)) for each in others]
        await gateway.kill()
        for sending in under_way:
            sending.cancel()
    async with _gateway(scene) as gateway:
        for each in DELIVERIES:
            await _send(scene, gateway, each)
    while not await _have_jobs(scene):  # noqa: ASYNC110 - the operator makes them
        await asyncio.sleep(LOOK_SECONDS)
    for job in await scene.workspace.all("jobs"):
        await scene.workspace.job_ends(job["metadata"]["name"])


@asynccontextmanager
async def _gateway(scene: Scene) -> AsyncIterator[Gateway]:
    account = scene.installation.plane.kubeconfig_for(outside.GATEWAY)
    silent = asyncio.subprocess.DEVNULL
    async with channels.started(scene.database, account, silent) as started:
        yield started


async def _send(scene: Scene, gateway: Gateway, name: str) -> None:
    """As a sender does: again, until it is answered that it was taken."""
    while True:
        try:
            if await outside.post(gateway, scene.workspace, name) == TAKEN:
                return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(LOOK_SECONDS)


async def _have_jobs(scene: Scene) -> bool:
    """Whether each delivery has one tick, and each tick its Job."""
    (schedule,) = await scene.workspace.all("schedules")
    uid = schedule["metadata"]["uid"]
    rows = await scene.ledger.store.run(ticks.page, uid, None, limit=500)
    taken = sorted(row.cause["delivery"] for row in rows)
    assert len(set(taken)) == len(taken), f"a delivery has two ticks: {taken}"
    return taken == sorted(DELIVERIES) and all(row.outcome == "Fired" for row in rows)
