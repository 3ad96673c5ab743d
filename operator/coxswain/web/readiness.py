"""What a process depends on, and whether it answers: asked side by side, within a bound of time.

A check that does not come back, not even when it is cancelled, holds up nobody: what it asks for is
broken, and nobody asks again before it has come back. What is reached only through something that is
broken itself is not called broken, so that the names that are left are those to mend.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from coxswain.errors import CoxswainError
from coxswain.telemetry import logs, metrics
from coxswain.web.kept import Kept

log = logs.get(__name__)

# Less than the kubelet waits for an answer, so that it hears the name of what hangs.
CHECK_SECONDS = 2.0
KEPT_SECONDS = 1.0
Check: TypeAlias = Callable[[], Awaitable[None]]


class State(StrEnum):
    """Of a dependency."""

    OK = "ok"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    """It does not answer, and what it is reached through is broken."""


@dataclass(frozen=True)
class Dependency:
    """``check`` raises an error of ours unless it answers."""

    name: str
    check: Check
    is_needed: bool = True
    """Whether the process is not ready without it; else it is only told of."""
    after: str = ""
    """The name of what it is reached through."""


@dataclass(frozen=True)
class Answer:
    """What was found; ``why`` says what is wrong."""

    name: str
    state: State
    is_needed: bool
    seconds: float
    why: str = ""


@dataclass(frozen=True)
class _Heard:
    seconds: float
    why: str


class Readiness:
    """All dependencies of a process; an answer is kept for ``kept_seconds``."""

    def __init__(
        self,
        dependencies: Sequence[Dependency],
        *,
        check_seconds: float = CHECK_SECONDS,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._dependencies = dependencies
        self._seconds = check_seconds
        self._under_way: dict[str, asyncio.Task[_Heard]] = {}
        self._kept = Kept(self._ask_all, kept_seconds)

    async def look(self) -> Sequence[Answer]:
        """Each dependency in its order."""
        return await self._kept.get()

    async def _ask_all(self) -> Sequence[Answer]:
        if not self._dependencies:
            return ()
        for each in self._dependencies:
            former = self._under_way.get(each.name)
            if former is None or former.done():
                self._under_way[each.name] = asyncio.create_task(_asked(each))
        _, late = await asyncio.wait(self._under_way.values(), timeout=self._seconds)
        for task in late:
            task.cancel()
        answers = self._answers()
        for answer in answers:
            if answer.state is not State.UNKNOWN:
                is_up = answer.state is State.OK
                metrics.DEPENDENCY_UP.labels(dependency=answer.name).set(is_up)
        return answers

    def _answers(self) -> Sequence[Answer]:
        states: dict[str, State] = {}
        answers = []
        for each in self._dependencies:
            heard = self._heard(self._under_way[each.name])
            state = State.BROKEN if heard.why else State.OK
            if heard.why and states.get(each.after, State.OK) is not State.OK:
                state = State.UNKNOWN
            states[each.name] = state
            answers.append(Answer(each.name, state, each.is_needed, heard.seconds, heard.why))
        return tuple(answers)

    def _heard(self, task: asyncio.Task[_Heard]) -> _Heard:
        if not task.done() or task.cancelled():
            return _Heard(self._seconds, f"no answer in {self._seconds:g} s")
        return task.result()


async def _asked(each: Dependency) -> _Heard:
    began, why = time.perf_counter(), ""
    try:
        await each.check()
    except CoxswainError as error:
        why = error.message or error.code
    except Exception as error:
        # The edge: a bug in one check must not hide what the others found.
        log.exception("a check of readiness crashed", operation=f"check {each.name}")
        why = type(error).__name__
    return _Heard(time.perf_counter() - began, why)
