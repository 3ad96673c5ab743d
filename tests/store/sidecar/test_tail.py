"""The end of the log in memory, of which a reader takes so many events and so many bytes at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from coxswain.sidecar.tail import Tail
from coxswain.store import events
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from tests.support.rows import event
from tests.support.waiting import until


@pytest.fixture
async def tail(sidecar_store: Store) -> AsyncIterator[Tail]:
    listener = Listener(sidecar_store.dsn, [events.CHANNEL])
    following = Tail(sidecar_store, listener)
    tasks = [asyncio.create_task(each.run()) for each in (listener, following)]
    await until(lambda: following.position == 0)
    try:
        yield following
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def taken(tail: Tail, position: int, limit: int, most_bytes: int) -> list[int] | None:
    found = tail.since(position, limit, most_bytes)
    return None if found is None else [each.position for each in found]


async def test_a_reader_takes_so_much_and_goes_on(tail: Tail, sidecar_store: Store) -> None:
    large = {"text": "x" * 10_000}
    batch = [event("user.large", details=large) for _ in range(6)]
    with tail.subscribe() as wake:
        await sidecar_store.run(events.append, batch)
        async with asyncio.timeout(10):
            await wake.wait()
    assert taken(tail, 0, 200, 25_000) == [1, 2, 3]
    assert taken(tail, 3, 2, 1_000_000) == [4, 5]
    assert taken(tail, 5, 200, 1) == [6]
    assert taken(tail, 6, 200, 1_000_000) == []


async def test_what_is_not_in_memory_any_more_is_told_from_nothing_new(
    tail: Tail, sidecar_store: Store
) -> None:
    large = {"text": "x" * 250_000}
    for count in range(1, 41):
        await sidecar_store.run(events.append, [event("user.large", details=large)])
        await until(lambda count=count: tail.position == count)  # type: ignore[misc]
    assert taken(tail, 0, 200, 1) is None
    assert taken(tail, 39, 200, 1) == [40]
