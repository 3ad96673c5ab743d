"""The processes that a plan breaks, and how each is started again as a kubelet would."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from devtools import children
from tests.faults.history import Restart
from tests.faults.proxy.seen import Trace
from tests.faults.servers import Servers
from tests.support.leader import Operator, Started
from tests.support.outage import Switch

LOOK_SECONDS = 0.05
LOG_LINES = 40


@dataclass
class Replica:
    """One of them: what the proxies have their hands on."""

    name: str
    servers: Servers
    process: Started | None = None
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

    def _standing(self) -> Started:
        assert self.process is not None
        return self.process


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
            if each.process is not None:
                parts.append(f"--- {each.name}\n{children.tail(each.process.log, LOG_LINES)}")
        return "\n".join(parts)

    async def roll(self, **settings: Any) -> None:
        """End each in order, one after the other, as an upgrade does: what comes in its place has other
        settings, and is ready before the next one ends."""
        for operator in (each.process for each in self.all):
            if not isinstance(operator, Operator):
                continue
            former = operator.process
            operator.change(**settings)
            former.terminate()
            while operator.process is former or not await operator.is_ready():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)

    async def keep_alive(self) -> None:
        """Start again whatever ends, until cancelled."""
        while True:
            for each in self.all:
                started = each.process
                code = None if started is None else started.process.poll()
                if started is not None and code is not None:
                    self.restarts.append(Restart(self.trace.now(), each.name, code))
                    started.crash()
            await asyncio.sleep(LOOK_SECONDS)
