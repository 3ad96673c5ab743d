"""Starts what a plan breaks: operators, and the sidecar API where a workload wants it, each behind its own proxies."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from coxswain.process import watchdog
from devtools import children, kubeconfig
from tests.faults import callers
from tests.faults.bed import Bed
from tests.faults.director import Director
from tests.faults.plan import SIDECAR
from tests.faults.proxy.kube import KubeProxy
from tests.faults.proxy.postgres import PostgresProxy
from tests.faults.proxy.seen import Trace
from tests.faults.replicas import Replica, Replicas
from tests.faults.servers import Servers
from tests.support import outage
from tests.support.cutting import SOCKET
from tests.support.leader import INSTALLATION, Started
from tests.support.outage import Switch
from tests.support.postgres import Database

NO_EXEC = watchdog.MOST_RESTARTS
"""So often has each started anew by itself already: it ends, and a copy takes its place for next to no CPU. By exec it
would import, and on a busy machine cost others the lease that it has lost itself."""


@dataclass(frozen=True)
class Place:
    """Where one process stands: its folder, and its ways out, which lead through its proxies."""

    replica: Replica
    folder: Path
    database: Database
    kubeconfig: Path


@dataclass
class House:
    """What all of them stand on."""

    bed: Bed
    database: Database
    director: Director
    trace: Trace
    servers: Servers
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @asynccontextmanager
    async def running(
        self, operators: tuple[str, ...], settings: Mapping[str, Any], api_port: int | None
    ) -> AsyncIterator[Replicas]:
        """All of them for the length of a block; none is awaited. ``settings`` are the operators'."""
        replicas = Replicas(self.trace)
        # The address of a socket has to be short.
        folder = Path(tempfile.mkdtemp(prefix="cx-faults-"))
        async with self._stack as stack:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            for name in operators:
                place = await self._place(_home(folder, name), "operator")
                given = {"kubeconfig": place.kubeconfig, "restarts": NO_EXEC, **settings}
                self._start(
                    place,
                    self.bed.installation.operator(place.database, place.folder, name, **given),
                )
                replicas.all.append(place.replica)
            if api_port is not None:
                place = await self._place(_home(folder, SIDECAR), "sidecar")
                self._start(place, _sidecar(self.bed, place, api_port))
                replicas.all.append(place.replica)
            keeping = asyncio.create_task(replicas.keep_alive())
            try:
                yield replicas
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)

    async def _place(self, folder: Path, verb: str) -> Place:
        replica = Replica(folder.name, self.servers)
        upstream = self.bed.installation.plane.url
        proxy = KubeProxy(upstream, self.director, self.trace, replica)
        url = await self._stack.enter_async_context(proxy.serving(self.bed.account(verb)))
        target = outage.socket_of(self.database)
        wire = PostgresProxy(target, self.director, self.trace, replica)
        replica.switch = Switch(wire, folder / SOCKET)
        await replica.switch.on()
        self._stack.push_async_callback(replica.close)
        return Place(
            replica,
            folder,
            outage.behind(self.database, folder),
            kubeconfig.write_plain(folder / "kubeconfig", url),
        )

    def _start(self, place: Place, block: AbstractContextManager[Started]) -> None:
        place.replica.process = block.__enter__()
        self._stack.push_async_exit(_leaving(block))


def _home(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


@contextmanager
def _sidecar(bed: Bed, place: Place, port: int) -> Iterator[Started]:
    """The API at a port, for the length of a block; whatever asks it finds it there again."""
    token = place.folder / "token"
    token.write_text(callers.TOKEN)
    wanted = {
        "database_dsn": place.database.sidecar,
        "bind": callers.HERE,
        "port": port,
        "health_port": children.free_port(),
        "installation": INSTALLATION,
        "mode": "dev",
        "kubeconfig": place.kubeconfig,
        "local_token_file": token,
        "log_format": "compact",
    }
    environment = {f"COXSWAIN_{key.upper()}": str(value) for key, value in wanted.items()}
    start = partial(bed.forks.start, verb="sidecar")
    started = Started(environment, place.folder / "sidecar.log", start)
    try:
        yield started
    finally:
        # Nothing waits for it, and in order it would take its time for those who still ask.
        started.kill()


def _leaving(block: AbstractContextManager[Started]) -> Callable[..., Awaitable[bool | None]]:
    """Leave it, but not in this thread: to end in order an operator needs the proxies, which go on."""

    async def leave(*error: Any) -> bool | None:
        return await asyncio.to_thread(block.__exit__, *error)

    return leave
