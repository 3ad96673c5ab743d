"""Two real processes on one Postgres: a reader whose replica is killed goes on at the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from coxswain.store import events
from coxswain.store.pool import Store
from tests.support.event_streams import Reader, reading
from tests.support.postgres import Database
from tests.support.rows import event
from tests.support.sidecar_process import TOKEN, Sidecar, started

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
WRITERS = 3
PAUSE_SECONDS = 0.005
Client = aiohttp.ClientSession


@asynccontextmanager
async def replica(database: Database, folder: Path) -> AsyncIterator[tuple[Sidecar, Client]]:
    async with (
        started(database.sidecar, folder) as sidecar,
        aiohttp.ClientSession(sidecar.url, headers=HEADERS) as session,
    ):
        yield sidecar, session


@asynccontextmanager
async def writing(store: Store) -> AsyncIterator[None]:
    """Writers that go on, each with its own batches, for the length of a block."""
    done = asyncio.Event()

    async def write(size: int) -> None:
        while not done.is_set():
            await store.run(events.append, [event() for _ in range(size)])
            await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for size in range(1, WRITERS + 1):
            group.create_task(write(size))
        try:
            yield
        finally:
            done.set()


async def taken(reader: Reader, count: int) -> list[int]:
    return [each.position or 0 for each in await reader.take(count)]


async def until_cut(reader: Reader) -> list[int]:
    """What still comes of a replica that was killed."""
    seen: list[int] = []
    try:
        while (frame := await reader.next()) is not None:
            seen.append(frame.position or 0)
    except (aiohttp.ClientError, ConnectionError):
        pass
    return seen


async def test_a_reader_goes_on_at_the_other_replica_without_a_gap_or_a_repeat(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    seen: list[int] = []
    async with AsyncExitStack() as stack:
        (one, first), (two, second) = [
            await stack.enter_async_context(replica(database, tmp_path)) for _ in range(2)
        ]
        await stack.enter_async_context(writing(operator_store))
        async with reading(first, "/v1/events?after=0") as reader:
            seen += await taken(reader, 300)
            await one.kill()
            seen += await until_cut(reader)
        async with reading(second, "/v1/events", after=seen[-1]) as reader:
            seen += await taken(reader, 300)
        _, third = await stack.enter_async_context(replica(database, tmp_path))
        async with reading(second, "/v1/events", after=seen[-1]) as reader:
            seen += await taken(reader, 100)
            await two.kill()
            seen += await until_cut(reader)
        async with reading(third, "/v1/events", after=seen[-1]) as reader:
            seen += await taken(reader, 300)
    assert len(seen) >= 1000
    assert seen == list(range(1, len(seen) + 1))


async def test_a_replica_that_is_told_to_end_ends_its_streams_in_order(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    seen: list[int] = []
    async with AsyncExitStack() as stack:
        (one, first), (_, second) = [
            await stack.enter_async_context(replica(database, tmp_path)) for _ in range(2)
        ]
        await stack.enter_async_context(writing(operator_store))
        async with reading(first, "/v1/events?after=0") as reader:
            seen += await taken(reader, 100)
            ended = asyncio.create_task(one.terminate())
            # To the end of the body, which would raise if it were cut.
            seen += [each.position or 0 for each in await reader.rest()]
        async with reading(second, "/v1/events", after=seen[-1]) as reader:
            seen += await taken(reader, 100)
        assert await ended == 0
    assert seen == list(range(1, len(seen) + 1))
