"""The API server and etcd of a bed: a fault ends them for a while, and they go on with what they had."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from devtools.controlplane import ControlPlane


class Servers:
    """Both of them, for the length of one plan. All that it leaves behind is there again."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._away: dict[str, asyncio.Task[None]] = {}
        self._at_once = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Nothing happens yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """What comes after this plan finds both."""
        await self.whole()

    async def whole(self) -> None:
        """Start at once what is still away, and wait until it answers."""
        self._at_once.set()
        await asyncio.gather(*self._away.values())

    def kill(self, name: str, seconds: float) -> None:
        """End etcd or kube-apiserver, and start it again after so long; one that is away stays so."""
        former = self._away.get(name)
        if former is None or former.done():
            self._plane.kill(name)
            self._away[name] = asyncio.create_task(self._comes_back(name, seconds))

    async def _comes_back(self, name: str, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._at_once.wait(), seconds)
        # In this thread: a child ends with the thread that has started it.
        self._plane.start_again(name)
        await asyncio.to_thread(self._plane.await_ready, name)
