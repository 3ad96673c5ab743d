"""Bytes in both directions between two connections, counted, until both have said their last word."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from coxswain.errors import ForbiddenError

READ_BYTES = 65_536
DONE = "done"
IDLE = "idle"
TIME_UP = "time_up"
BROKEN = "broken"
USED_UP = "egress_bytes_used_up"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Take = Callable[[int], Awaitable[None]]
"""Asks for so many bytes before they go through; raises ForbiddenError when the run has had its share."""


@dataclass
class Counts:
    """What went through so far, as the agent sees it."""

    sent: int = 0
    received: int = 0


@dataclass(frozen=True)
class Bounds:
    """How long a tunnel may be silent, and last in all."""

    idle_seconds: float
    total_seconds: float


async def run(agent: Streams, host: Streams, counts: Counts, bounds: Bounds, *, take: Take) -> str:
    """Relay until the end, and say which end it was. Cancelled, it ends at once."""
    loop = asyncio.get_running_loop()
    until = loop.time() + bounds.total_seconds

    def soon() -> float:
        return min(until, loop.time() + bounds.idle_seconds)

    def alive() -> None:
        # In the very moment of its end a timeout takes no other time.
        if not patience.expired():
            patience.reschedule(soon())

    def sent(count: int) -> None:
        counts.sent += count
        alive()

    def received(count: int) -> None:
        counts.received += count
        alive()

    try:
        async with asyncio.timeout_at(soon()) as patience:
            return await _both(
                _pump(agent[0], host[1], take, sent), _pump(host[0], agent[1], take, received)
            )
    except TimeoutError:
        return TIME_UP if loop.time() >= until else IDLE


async def _both(*pumps: Coroutine[Any, Any, None]) -> str:
    outcome = DONE
    try:
        async with asyncio.TaskGroup() as group:
            for each in pumps:
                group.create_task(each)
    except* OSError:
        outcome = BROKEN
    except* ForbiddenError:
        outcome = USED_UP
    return outcome


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    take: Take,
    count: Callable[[int], None],
) -> None:
    while data := await reader.read(READ_BYTES):
        if writer.is_closing() and not writer.can_write_eof():
            # TLS has no half of an end: a peer that has ended takes nothing more either.
            break
        await take(len(data))
        writer.write(data)
        await writer.drain()
        count(len(data))
    if writer.can_write_eof():
        # The other direction may go on.
        writer.write_eof()
    else:
        # It is told of the end once all that was written has gone out.
        writer.close()
