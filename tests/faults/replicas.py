"""The operator's processes, each behind proxies of its own, and started again as a kubelet would."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools import children, kubeconfig
from tests.faults.bed import Bed
from tests.faults.director import Director
from tests.faults.history import Restart
from tests.faults.proxy.kube import KubeProxy
from tests.faults.proxy.postgres import PostgresProxy
from tests.faults.proxy.seen import Trace
from tests.faults.servers import Servers
from tests.support import outage
from tests.support.cutting import SOCKET
from tests.support.leader import Operator
from tests.support.outage import Switch
from tests.support.postgres import Database

LOOK_SECONDS = 0.05
LOG_LINES = 40


@dataclass
class Replica:
    """One of them: what the proxies have their hands on."""

    name: str
    servers: Servers
    operator: Operator | None = None
    switch: Switch | None = None
    _away: asyncio.Task[None] | None = None

    def kill(self) -> None:
        """End it as a machine would that loses power."""
        self._standing().kill()

    def freeze(self, seconds: float) -> None:
        """Stop its time, and let it go on after so long."""
        standing = self._standing()
        standing.freeze()
        asyncio.get_running_loop().call_later(seconds, standing.thaw)

    def cut_off(self, seconds: float) -> None:
        """Let no connection to Postgres through for so long."""
        if self._away is None or self._away.done():
            self._away = asyncio.create_task(self._cut_off(seconds))

    def kill_server(self, name: str, seconds: float) -> None:
        """End etcd or kube-apiserver, and start it again after so long."""
        self.servers.kill(name, seconds)

    async def _cut_off(self, seconds: float) -> None:
        assert self.switch is not None
        await self.switch.off()
        await asyncio.sleep(seconds)
        await self.switch.on()

    async def close(self) -> None:
        """Let nothing through any more."""
        if self._away is not None:
            self._away.cancel()
            await asyncio.gather(self._away, return_exceptions=True)
        if self.switch is not None:
            await self.switch.off()

    def _standing(self) -> Operator:
        assert self.operator is not None
        return self.operator


@dataclass
class Replicas:
    """All of them. ``restarts`` are those that nobody here asked for, too."""

    trace: Trace
    all: list[Replica] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)

    def logs(self) -> str:
        """What the last lines of each say."""
        parts = []
        for each in self.all:
            if each.operator is not None:
                parts.append(f"--- {each.name}\n{children.tail(each.operator.log, LOG_LINES)}")
        return "\n".join(parts)

    async def roll(self, **settings: Any) -> None:
        """End each in order, one after the other, as an upgrade does: what comes in its place has other
        settings, and is ready before the next one ends."""
        for each in self.all:
            operator = each.operator
            assert operator is not None
            former = operator.process
            operator.change(**settings)
            former.terminate()
            while operator.process is former or not await operator.is_ready():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)

    async def keep_alive(self) -> None:
        """Start again whatever ends, until cancelled."""
        while True:
            for each in self.all:
                operator = each.operator
                code = None if operator is None else operator.process.poll()
                if operator is not None and code is not None:
                    self.restarts.append(Restart(self.trace.now(), each.name, code))
                    operator.crash()
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def running(
    bed: Bed,
    database: Database,
    director: Director,
    trace: Trace,
    *,
    servers: Servers,
    names: tuple[str, ...],
    settings: Mapping[str, Any],
) -> AsyncIterator[Replicas]:
    """So many replicas for the length of a block; none of them is awaited."""
    replicas = Replicas(trace)
    # The address of a socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="cx-faults-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in names:
            replica = Replica(name, servers)
            home = folder / name
            home.mkdir()
            proxy = KubeProxy(bed.installation.plane.url, director, trace, replica)
            url = await stack.enter_async_context(proxy.serving(bed.account))
            wire = PostgresProxy(outage.socket_of(database), director, trace, replica)
            replica.switch = Switch(wire, home / SOCKET)
            await replica.switch.on()
            stack.push_async_callback(replica.close)
            started = bed.installation.operator(
                outage.behind(database, home),
                home,
                name,
                **{"kubeconfig": kubeconfig.write_plain(home / "kubeconfig", url), **settings},
            )
            replica.operator = started.__enter__()
            stack.push_async_exit(_leaving(started))
            replicas.all.append(replica)
        keeping = asyncio.create_task(replicas.keep_alive())
        try:
            yield replicas
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


def _leaving(block: AbstractContextManager[Operator]) -> Callable[..., Awaitable[bool | None]]:
    """Leave it, but not in this thread: to end in order an operator needs the proxies, which go on."""

    async def leave(*error: Any) -> bool | None:
        return await asyncio.to_thread(block.__exit__, *error)

    return leave
