"""What every gateway's process does alike: health, tasks, the way out, and running until it is told to end.

Gateways are stateless: any number of replicas, each ready when database, schema and keys are there.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from coxswain.identity.keys import Cluster, Keys
from coxswain.kube.client import Client
from coxswain.settings import ServerSettings
from coxswain.store import schema
from coxswain.store.pool import Store
from coxswain.telemetry import logs
from coxswain.web.health import Health

VERSION_PATH = "/version"
DRAIN_SECONDS = 20.0
# Others go on sending here until they know; they find the port open for that long.
LEAVE_SECONDS = 2.0

log = logs.get(__name__)
S = TypeVar("S", bound=ServerSettings)


@dataclass(frozen=True)
class Ports:
    """What was really opened."""

    door: int
    health: int


def health(store: Store, cluster: Cluster, keys: Keys | None = None) -> Health:
    """What a gateway depends on; ``keys`` where it verifies tokens of pods."""

    async def answers() -> None:
        await cluster.get(VERSION_PATH)

    helpful = {"kubernetes": answers}
    if keys is not None:
        helpful["token_keys"] = keys.check
    return Health({"postgres": store.ping, "schema": lambda: store.run(schema.require)}, helpful)


@asynccontextmanager
async def tasks(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do this beside the block; all of it ends with the block, and an error of one ends all."""
    async with asyncio.TaskGroup() as group:
        begun = [group.create_task(each) for each in work]
        try:
            yield
        finally:
            for each in begun:
                each.cancel()


async def leave(state: Health, seconds: float) -> None:
    """Be unready, and serve on until nobody is sent here any more."""
    state.stop()
    await asyncio.sleep(seconds)


async def until_told(
    given: S, running: Callable[[S, Cluster], AbstractAsyncContextManager[Ports]]
) -> None:
    """Run the process until SIGTERM or SIGINT."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    cluster = await Client.connect(given.kubeconfig)
    try:
        async with running(given, cluster) as ports:
            log.info("serving", port=ports.door, health_port=ports.health)
            await told.wait()
            log.info("ending")
    finally:
        await cluster.close()
