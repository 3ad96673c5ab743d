"""Runs one program to its end, in a process group of its own, so that nothing of it outlives the call."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from coxswain_agent.errors import ToolError

READ_BYTES = 65_536
LEFTOVER_SECONDS = 1.0
SIGNALLED = 128

Feed = Callable[[bytes], None]


@dataclass(frozen=True)
class Program:
    """What to run and where."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Exit:
    """How it ended; a signal counts as 128 and its number, as in a shell."""

    code: int
    timed_out: bool = False


async def run(
    program: Program, stdout: Feed, stderr: Feed, *, timeout_seconds: float | None, grace: float
) -> Exit:
    """Run it, feeding its two streams as they come.

    When time is up, or this call is cancelled, the whole group gets SIGTERM and after ``grace``
    seconds SIGKILL. Raises ToolError if it cannot be started.
    """
    process = await _start(program)
    readers = asyncio.gather(_pump(process.stdout, stdout), _pump(process.stderr, stderr))
    timed_out = False
    try:
        await asyncio.wait_for(process.wait(), timeout_seconds)
    except TimeoutError:
        timed_out = True
    finally:
        # Also when cancelled: nothing may be left behind, so this part is waited for.
        await asyncio.shield(_end(process, grace))
        await _finish(readers)
    code = process.returncode or 0
    return Exit(code if code >= 0 else SIGNALLED - code, timed_out)


async def _start(program: Program) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *program.argv,
            cwd=program.folder,
            env=dict(program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
        raise ToolError(f"{program.argv[0]} cannot be started: {reason}") from error


async def _pump(stream: asyncio.StreamReader | None, feed: Feed) -> None:
    while stream is not None and (data := await stream.read(READ_BYTES)):
        feed(data)


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    if process.returncode is None:
        _signal(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            await process.wait()
    # What the program left in its group goes with it.
    _signal(process, signal.SIGKILL)


async def _finish(readers: "asyncio.Future[tuple[None, None]]") -> None:
    """A daemon that left the group may hold a pipe open for ever; what it says is not waited for."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(readers, LEFTOVER_SECONDS)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
