"""The door beside an image of somebody else, and what a kubelet asks it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from coxswain_agent import beside
from devtools import children
from tests.support.agents import AgentTask, Program
from tests.support.platform_door import RUN, FakePlatform

NOWHERE = "http://127.0.0.1:9"
LOOK_SECONDS = 0.02
WAIT_SECONDS = 20.0


@dataclass
class Kubelet:
    """Asks a door what a kubelet asks it, at this port."""

    signs: int

    async def says(self, path: str) -> bool | None:
        """What it answers; None where nobody does."""
        url = f"http://127.0.0.1:{self.signs}{path}"
        try:
            async with aiohttp.ClientSession() as http, http.get(url) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return None

    async def until_it_says(self, path: str, wanted: bool | None) -> None:
        """Ask as often as a kubelet in a hurry."""
        async with asyncio.timeout(WAIT_SECONDS):
            while await self.says(path) is not wanted:  # noqa: ASYNC110 - another task decides
                await asyncio.sleep(LOOK_SECONDS)

    async def starts_program(self) -> None:
        """Wait until the program may start, and ask after it like a kubelet that has started it."""
        await self.until_it_says("/started", wanted=True)
        assert await self.says("/alive") is True

    async def ends_program(self) -> None:
        """Wait until the program may not go on."""
        await self.until_it_says("/alive", wanted=False)


@dataclass
class Beside(AgentTask):
    """The door as a task of this process; started again it finds what it kept."""

    program: Program = beside.keep
    door: int = field(default_factory=children.free_port)
    kubelet: Kubelet = field(default_factory=lambda: Kubelet(children.free_port()))

    def __post_init__(self) -> None:
        """Ports that stay the same when it is started again, as in a pod."""
        ports = {"door_port": self.door, "web_door_port": 0, "signs_port": self.kubelet.signs}
        self.extra = {**ports, "stop_seconds": 2.0, **self.extra}

    @property
    def door_url(self) -> str:
        """Where programs find the platform."""
        return f"http://127.0.0.1:{self.door}"

    async def is_killed(self) -> None:
        """What SIGKILL does: nothing is said any more. The pod's folders stay."""
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    async def leaves(self) -> int:
        """The program has ended, so the kubelet ends the door; its exit code."""
        self.terminate()
        return await self.wait()


@asynccontextmanager
async def standing(folder: Path, platform: FakePlatform, **extra: Any) -> AsyncIterator[Beside]:
    """A door that is started; taken away at the end."""
    async with platform:
        door = Beside(folder, platform.url, NOWHERE, RUN, extra)
        door.start()
        try:
            yield door
        finally:
            await door.is_killed()
