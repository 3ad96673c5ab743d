"""Sessions of two replicas, one of which listens later than it is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from coxswain.sidecar.sessions import CHANNEL, Seat, Sessions
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from tests.support.waiting import until

CALLER, SESSION = "user:ada", "tab-1"


@asynccontextmanager
async def _replica(store: Store) -> AsyncIterator[tuple[Sessions, Listener]]:
    listener = Listener(store.dsn, [CHANNEL])
    sessions = Sessions(store, listener)
    hearing = asyncio.create_task(sessions.run())
    try:
        yield sessions, listener
    finally:
        hearing.cancel()


async def _sit(sessions: Sessions, over: asyncio.Event, sat: list[Seat]) -> None:
    async with sessions.seat(CALLER, SESSION, asyncio.Event()) as seat:
        sat.append(seat)
        await over.wait()


async def test_a_stream_that_was_asked_for_before_its_process_listened_still_counts_as_one(
    sidecar_store: Store,
) -> None:
    over, sat = asyncio.Event(), list[Seat]()
    async with (
        _replica(sidecar_store) as (first, heard),
        _replica(sidecar_store) as (late, deaf),
        asyncio.TaskGroup() as group,
    ):
        listening = [group.create_task(heard.run())]
        await heard.until_listening()
        with heard.hear(CHANNEL) as said:
            group.create_task(_sit(late, over, sat))
            # Were it told of already, it would be heard by the one and not by the other.
            with suppress(TimeoutError):
                await asyncio.wait_for(said.get(), 0.3)
        group.create_task(_sit(first, over, sat))
        await until(lambda: len(sat) == 1)
        listening.append(group.create_task(deaf.run()))
        await until(lambda: len(sat) == 2)
        await until(lambda: any(each.is_taken for each in sat))
        assert sorted(each.is_taken for each in sat) == [False, True]
        over.set()
        for each in listening:
            each.cancel()
