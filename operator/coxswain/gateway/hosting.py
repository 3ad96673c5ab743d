"""What every gateway's process does alike: health, tasks, the way out, and running until it is told to end.

Gateways are stateless: any number of replicas, each ready when database, schema and keys are there.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from coxswain.api.standing import Role
from coxswain.identity.keys import Cluster, Keys
from coxswain.kube.client import Client
from coxswain.settings import ServerSettings
from coxswain.store.pool import Store
from coxswain.telemetry import logs
from coxswain.web import dependencies
from coxswain.web.banner import Banner
from coxswain.web.health import Health
from coxswain.web.roll_call import Answering, Presence

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
    tell: Callable[[], Coroutine[Any, Any, None]]
    """Writes the one line that says what has started."""


class Host:
    """Health of a gateway, its listener, its part in roll calls, and its banner.

    ``channels`` are those that it listens to while it has tasks; ``keys`` are there where it verifies tokens of pods.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        cluster: Cluster,
        keys: Keys | None = None,
        channels: Sequence[str] = (),
    ) -> None:
        presence = Presence(name)
        self.listener = presence.listener(store.dsn, channels)
        found = [
            *dependencies.of_store(store, self.listener, is_needed=True),
            dependencies.of_cluster(cluster, is_needed=False),
        ]
        if keys is not None:
            found.append(dependencies.of_keys(keys))
        self.health = Health(*found)
        self._banner = Banner(name)
        standing = partial(presence.standing, self.health, Role.ACTIVE)
        self._answering = Answering(store, self.listener, standing)

    @asynccontextmanager
    async def tasks(self, *work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Do this beside the block; all of it ends with the block, and an error of one ends all."""
        async with self._banner.group() as group:
            ours = (self.listener.run(), self._answering.run())
            begun = [group.create_task(each) for each in (*ours, *work)]
            try:
                yield
            finally:
                for each in begun:
                    each.cancel()

    def opened(self, door: int, health: int) -> Ports:
        """Both ports are open."""
        self._banner.opened(door=door, health=health)
        return Ports(door, health, partial(self._banner.say, self.health, Role.ACTIVE))


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
            telling = asyncio.create_task(ports.tell())
            await told.wait()
            telling.cancel()
            log.info("ending")
    finally:
        await cluster.close()
