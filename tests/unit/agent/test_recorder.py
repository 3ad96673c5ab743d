"""Events on their way out, and the clock in their ids."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from coxswain.api.event_types.run import RUN_ANSWER, Answer
from coxswain_agent import recorder
from coxswain_agent.clock import RunClock
from coxswain_agent.contract import Platform
from coxswain_agent.errors import ClosedError
from coxswain_agent.recorder import Recorder
from tests.support.platform_door import FakePlatform, document

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@asynccontextmanager
async def recording(
    platform: FakePlatform, *, running: bool = True
) -> AsyncIterator[tuple[Recorder, "asyncio.Task[None] | None"]]:
    headers = {"Authorization": f"Bearer {platform.token}"}
    async with platform, aiohttp.ClientSession(headers=headers) as http:
        made = Recorder(Platform(http, platform.url), RunClock(NOW), last_seq=4, flush_seconds=0.01)
        task = asyncio.create_task(made.run()) if running else None
        yield made, task
        if task is not None:
            task.cancel()
            await asyncio.wait({task})


def soon() -> float:
    return time.monotonic() + 10


async def test_numbers_go_on_where_the_claim_says() -> None:
    platform = FakePlatform(document())
    async with recording(platform) as (events, _):
        await events.record(RUN_ANSWER, Answer(text="a"))
        await events.record(RUN_ANSWER, Answer(text="b"))
        assert await events.drain(soon())
    assert [event.seq for event in platform.events] == [5, 6]


async def test_a_batch_is_sent_again_until_it_is_taken() -> None:
    platform = FakePlatform(document())
    platform.faults["events"] = deque([503, 429])
    async with recording(platform) as (events, _):
        await events.record(RUN_ANSWER, Answer(text="a"))
        assert await events.drain(soon())
    assert len(platform.events) == 1


async def test_a_refused_batch_is_counted_and_holds_nobody_up() -> None:
    platform = FakePlatform(document())
    platform.faults["events"] = deque([422])
    async with recording(platform) as (events, _):
        await events.record(RUN_ANSWER, Answer(text="a"))
        assert await events.drain(soon())
        await events.record(RUN_ANSWER, Answer(text="b"))
        assert await events.drain(soon())
    assert events.refused == 1
    assert [event.details["text"] for event in platform.events] == ["b"]


async def test_a_closed_run_ends_the_sending() -> None:
    platform = FakePlatform(document())
    platform.faults["events"] = deque([401])
    async with recording(platform) as (events, task):
        await events.record(RUN_ANSWER, Answer(text="a"))
        assert task is not None
        with pytest.raises(ClosedError):
            await asyncio.wait_for(task, 5)


async def test_nobody_waits_for_a_sending_that_has_broken_off() -> None:
    platform = FakePlatform(document())
    platform.faults["events"] = deque([410])
    async with recording(platform) as (events, task):
        await events.record(RUN_ANSWER, Answer(text="a"))
        assert task is not None
        await asyncio.wait({task}, timeout=10)
        await events.record(RUN_ANSWER, Answer(text="b"))
        assert not await asyncio.wait_for(events.drain(time.monotonic() + 60), 10)


async def test_pieces_of_one_stream_become_one_event() -> None:
    async with recording(FakePlatform(document()), running=False) as (events, _):
        for piece in ("a", "b", "c"):
            assert events.offer("stdout", piece)
        assert events.offer("stderr", "d")
        assert events.pending == 2


async def test_output_is_refused_before_the_buffer_is_full_and_events_are_not() -> None:
    async with recording(FakePlatform(document()), running=False) as (events, _):
        piece = "x" * recorder.MERGE_CHARACTERS
        while events.offer("stdout", piece):
            pass
        before = events.pending
        assert not events.offer("stdout", piece)
        await asyncio.wait_for(events.record(RUN_ANSWER, Answer(text="still")), 1)
        assert events.pending == before + 1


async def test_an_event_waits_while_the_buffer_is_full() -> None:
    platform = FakePlatform(document())
    async with recording(platform, running=False) as (events, _):
        while events.pending * 100_000 < recorder.BUFFER_BYTES + 100_000:
            await asyncio.wait_for(events.record(RUN_ANSWER, Answer(text="x" * 100_000)), 1)
            if events.pending * 100_000 >= recorder.BUFFER_BYTES:
                break
        late = asyncio.create_task(events.record(RUN_ANSWER, Answer(text="late")))
        done, _ = await asyncio.wait({late}, timeout=0.05)
        assert not done
        sending = asyncio.create_task(events.run())
        await asyncio.wait_for(late, 5)
        sending.cancel()
        await asyncio.wait({sending})


def test_ids_carry_the_platforms_time_and_the_steady_clock() -> None:
    ticks = iter([100.0, 101.5, 101.5])
    clock = RunClock(NOW, monotonic=lambda: next(ticks))
    made = clock.event_id()
    at = datetime.fromtimestamp((made.int >> 80) / 1000, tz=UTC)
    assert at == NOW + timedelta(seconds=1.5)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert clock.event_id() != made
