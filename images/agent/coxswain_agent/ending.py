"""How a run is brought to its end: by its own work, or by whoever stops it first."""

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any, TypeVar

from coxswain.api.contract import ResultStatus, RunResult
from coxswain_agent.acts import Acts
from coxswain_agent.errors import ClosedError, WorkError

T = TypeVar("T")


class Stop(StrEnum):
    """Why work ends before its own end; the value is the result's reason."""

    TERMINATED = "Terminated"
    CANCELLED = "Cancelled"
    TIMEOUT = "Timeout"
    CLOSED = "Closed"


_MESSAGES = {
    Stop.TERMINATED: "the pod was told to end",
    Stop.CANCELLED: "the Job was cancelled",
    Stop.TIMEOUT: "the attempt took longer than its timeout; raise timeoutSeconds or do less",
}


class Stopper:
    """Anybody may ask for the end; the first reason counts."""

    def __init__(self) -> None:
        self._asked: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()
        self.terminated = asyncio.Event()
        """Set once the pod is told to end, whatever was asked before."""

    def ask(self, stop: Stop) -> None:
        """Ask for the end of the work."""
        if not self._asked.done():
            self._asked.set_result(stop)
        if stop is Stop.TERMINATED:
            self.terminated.set()

    @property
    def asked(self) -> Stop | None:
        """Why, if anybody asked."""
        return self._asked.result() if self._asked.done() else None

    async def wait(self) -> Stop:
        """Wait until somebody asks; why."""
        return await asyncio.shield(self._asked)

    async def while_waiting_for(self, task: asyncio.Task[T]) -> T | None:
        """The task's result, or None if somebody asked for the end first."""
        await self._first(task, None)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait({task})
        return None

    async def during(
        self, work: Coroutine[Any, Any, RunResult], timeout_seconds: float
    ) -> RunResult | Stop:
        """Do the work until it ends or somebody asks; it is then cancelled and waited for.

        Raises what the work raises.
        """
        task = asyncio.create_task(work)
        try:
            await self._first(task, timeout_seconds)
            if task.done():
                return task.result()
            self.ask(Stop.TIMEOUT)
        finally:
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled() and task.exception() is None:
            return task.result()
        return self._asked.result()

    async def _first(self, task: asyncio.Task[T], timeout_seconds: float | None) -> None:
        both: set[asyncio.Future[Any]] = {task, self._asked}
        await asyncio.wait(both, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)


def of_failure(error: WorkError) -> RunResult:
    """The result of work that failed by itself."""
    return RunResult(
        status=ResultStatus.FAILED,
        reason=error.reason,
        message=error.message,
        transient=error.transient,
    )


def of_stop(stop: Stop, acts: Acts, *, repeatable: bool) -> RunResult:
    """The result of work that was stopped. What was cut off in an act is not begun again blindly.

    Why the pod was told to end is for the operator to know: an eviction, a deadline, a drain.
    Raises ClosedError where the run is not ours any more and takes no result.
    """
    if stop is Stop.CLOSED:
        raise ClosedError("the run was closed while it worked")
    within = f" (in the middle of: {', '.join(acts.interrupted)})" if acts.interrupted else ""
    is_told = stop is Stop.TERMINATED
    is_safe = stop is Stop.TIMEOUT and (repeatable or not acts.interrupted)
    return RunResult(
        status=ResultStatus.FAILED,
        reason=stop.value,
        message=_MESSAGES[stop] + within,
        transient=is_told or is_safe,
    )
