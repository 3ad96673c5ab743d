"""The one line by which a process says what it has started: parts, ports, dependencies, its role.

Nothing of it is a list that somebody keeps: parts are the tasks that run, ports those that were opened.
"""

import asyncio
import time
from collections.abc import Coroutine, Generator
from contextvars import Context
from pathlib import Path
from typing import Any, TypeVar

from typing_extensions import override

from coxswain import __version__
from coxswain.api.standing import Role
from coxswain.store.schema import REVISION
from coxswain.telemetry import logs
from coxswain.web.health import Health, broken

log = logs.get(__name__)

T = TypeVar("T")
SENTENCE = "started"
# Keys are fetched and the listening connection is made after the ports are open.
SETTLE_SECONDS = 5.0
LOOK_SECONDS = 0.2
PLAIN = ("run", "work")


class Banner:
    """What a process has started so far."""

    def __init__(self, component: str, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._component = component
        self._settle_seconds = settle_seconds
        self._ports: dict[str, int] = {}
        self._tasks: list[asyncio.Task[Any]] = []

    def opened(self, **ports: int) -> None:
        """Ports were opened, each by what it is for."""
        self._ports |= ports

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin a task that is a part."""
        task = asyncio.create_task(work)
        self.part(task)
        return task

    def part(self, task: asyncio.Task[Any]) -> None:
        """A task was begun that goes on for as long as the process does."""
        self._tasks.append(task)

    def group(self) -> asyncio.TaskGroup:
        """A group whose tasks are all parts."""
        return _Parts(self)

    async def say(self, health: Health, role: Role, **more: object) -> None:
        """Write the line, once all dependencies answer or a moment after the start has passed."""
        until = time.monotonic() + self._settle_seconds
        while broken(answers := await health.look()) and time.monotonic() < until:  # noqa: ASYNC110 - others answer
            await asyncio.sleep(LOOK_SECONDS)
        log.info(
            SENTENCE,
            component=self._component,
            version=__version__,
            schema=REVISION,
            role=role.value,
            ports=self._ports,
            parts=self._parts(),
            dependencies={each.name: each.state.value for each in answers},
            **more,
        )

    def _parts(self) -> dict[str, str]:
        parts: dict[str, str] = {}
        for task in self._tasks:
            name, state = _name(task), "ended" if task.done() else "running"
            parts[name] = "ended" if parts.get(name) == "ended" else state
        return dict(sorted(parts.items()))


class _Parts(asyncio.TaskGroup):
    def __init__(self, banner: Banner) -> None:
        super().__init__()
        self._banner = banner

    @override
    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        task = super().create_task(coro, name=name, context=context)
        self._banner.part(task)
        return task


def _name(task: asyncio.Task[Any]) -> str:
    """Of a part: its function's, or its module's where the function is only called ``run``."""
    code = getattr(task.get_coro(), "cr_code", None)
    if code is None:
        return task.get_name()
    function = str(code.co_name).strip("_")
    return Path(code.co_filename).stem if function in PLAIN else function
