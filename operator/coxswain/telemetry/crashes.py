"""The last words of a process, a thread or a task that ends by an error nobody caught.

Each is one line of the log with the operation that failed: the innermost function of ours on the way to
the error. What ends the interpreter itself, such as a fault in a library's native code, is not ours to
log: for that ``watch_faults`` has the stacks of all threads written.
"""

import asyncio
import faulthandler
import sys
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

import structlog

OURS = ("coxswain", "coxswain_controllers", "coxswain_agent")
UNKNOWN = "unknown"

log = structlog.stdlib.get_logger(__name__)


def install() -> None:
    """Log what ends the process or a thread of it."""
    sys.excepthook = log_crash
    threading.excepthook = _log_thread_crash


def watch_faults() -> None:
    """Have a process that is ended by a fault, such as SIGSEGV, write the stacks of its threads first."""
    faulthandler.enable()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a process's work in a loop that logs the errors of tasks which nobody waits for."""

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(log_loop_crash)
        await work

    asyncio.run(watched())


def log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write the last line of a process that ends by an error nobody caught."""
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical(
        "the process ends: an error nobody caught",
        operation=operation(error),
        exc_info=(kind, error, trace),
    )


def log_loop_crash(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Write what the event loop has to say; the process goes on."""
    error = context.get("exception")
    log.error(
        "a task ended by an error nobody caught",
        operation=operation(error, default=_of_task(context)),
        what=context.get("message", ""),
        exc_info=error,
    )


def operation(error: BaseException | None, default: str = UNKNOWN) -> str:
    """The innermost function of ours that the error came through, as module and name."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    found, trace = default, error.__traceback__ if error is not None else None
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in OURS:
            found = f"{module}.{trace.tb_frame.f_code.co_qualname}"
        trace = trace.tb_next
    return found


def _of_task(context: dict[str, Any]) -> str:
    """The function of the task that the loop speaks of, if it speaks of one."""
    task = context.get("task") or context.get("future")
    work = task.get_coro() if isinstance(task, asyncio.Task) else None
    return str(getattr(work, "__qualname__", UNKNOWN))


def _log_thread_crash(args: threading.ExceptHookArgs) -> None:
    error = args.exc_value
    if error is not None:
        name = args.thread.name if args.thread is not None else UNKNOWN
        log.critical(
            "a thread ended by an error nobody caught",
            operation=operation(error, default=name),
            thread=name,
            exc_info=error,
        )
