"""A pod that writes events without end, as the agent program does: ``python -m tests.support.log_writer``.

It notes the number of the last event that it heard was kept in a file, which outlives it. When its input
ends it sends what it still has, says how many events it has written, and ends.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

import aiohttp
from typing_extensions import override

from coxswain.api.contract import BatchAnswer, RunEvent
from coxswain.api.event_types.run import RUN_OUTPUT, Output
from coxswain.errors import TransientError
from coxswain_agent import backoff
from coxswain_agent.clock import RunClock
from coxswain_agent.contract import CALL_SECONDS, Platform
from coxswain_agent.recorder import BATCH_EVENTS, Recorder

URLS, RUN = "COXSWAIN_TEST_URLS", "COXSWAIN_TEST_RUN"
TOKEN_FILE, NOTES_FILE = "COXSWAIN_TEST_TOKEN_FILE", "COXSWAIN_TEST_NOTES_FILE"
TEXT = "x" * 100
LONGEST_SECONDS = 120.0
PAUSE_SECONDS = 0.005
# Enough to send full batches; what is waiting dies with its pod.
MOST_PENDING = 3 * BATCH_EVENTS


class Replicas(Platform):
    """The platform at several addresses: who hears nothing at one asks the next, as behind a Service."""

    def __init__(
        self, session: aiohttp.ClientSession, urls: Sequence[str], token: Path, notes: TextIO
    ) -> None:
        super().__init__(session, urls[0], token)
        self._urls = list(urls)
        self._notes = notes

    @override
    async def append(self, events: list[RunEvent]) -> BatchAnswer:
        answer = await super().append(events)
        self._notes.write(f"{events[-1].seq}\n")
        self._notes.flush()
        return answer

    @override
    async def _call(
        self,
        method: str,
        route: str,
        data: BinaryIO,
        content_type: str,
        seconds: float = CALL_SECONDS,
    ) -> bytes:
        try:
            return await super()._call(method, route, data, content_type, seconds)
        except TransientError:
            self._urls.append(self._urls.pop(0))
            self._url = self._urls[0]
            raise


async def write(recorder: Recorder, sending: asyncio.Task[None], is_over: asyncio.Event) -> int:
    """Number events until it is over; how many there were. Raises what ends the sending."""
    written = 0
    while not is_over.is_set():
        if sending.done():
            sending.result()
        if recorder.pending >= MOST_PENDING:
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        written += 1
        # Different texts: pieces of output are not joined here, each is an event.
        await recorder.record(RUN_OUTPUT, Output(stream="stdout", text=f"{written} {TEXT}"))
    return written


def _end_of_input() -> asyncio.Event:
    over, loop = asyncio.Event(), asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(sys.stdin.fileno())
        over.set()

    loop.add_reader(sys.stdin.fileno(), end)
    return over


async def main(notes: TextIO) -> None:
    """Claim, write until the input ends, and send what is left."""
    is_over = _end_of_input()
    async with aiohttp.ClientSession() as session:
        urls = os.environ[URLS].split()
        platform = Replicas(session, urls, Path(os.environ[TOKEN_FILE]), notes)
        until = time.monotonic() + LONGEST_SECONDS
        claim = await backoff.persist(lambda: platform.claim(os.environ[RUN]), until)
        clock = RunClock(claim.server_time)
        recorder = Recorder(platform, clock, last_seq=claim.last_seq, flush_seconds=0.05)
        sending = asyncio.create_task(recorder.run())
        written = await write(recorder, sending, is_over)
        assert await recorder.drain(time.monotonic() + LONGEST_SECONDS)
        assert recorder.refused == 0
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    sys.stdout.write(f"{written}\n")


if __name__ == "__main__":
    with Path(os.environ[NOTES_FILE]).open("a") as noted:
        asyncio.run(main(noted))
