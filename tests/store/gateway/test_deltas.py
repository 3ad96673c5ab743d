"""What models say, on its way from a gateway to whoever watches: bounded, and only where somebody does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from coxswain.gateway.models.deltas import MOST_PIECES_OF_CALL, Deltas
from coxswain.store import deltas
from coxswain.store.deltas import PIECE_CHARACTERS
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from tests.support.measured import value
from tests.support.platform_door import JOB_UID, document
from tests.support.postgres import Database
from tests.support.waiting import until

TOLD = "coxswain_model_deltas_total"


@asynccontextmanager
async def telling(store: Store) -> AsyncIterator[Deltas]:
    listener = Listener(store.dsn, [deltas.WATCHED])
    told = Deltas(store, listener)
    tasks = [asyncio.create_task(listener.run()), asyncio.create_task(told.run())]
    await until(lambda: listener.connected)
    try:
        yield told
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def hearing(database: Database) -> AsyncIterator[list[dict[str, Any]]]:
    """The pieces that anybody would hear."""
    heard: list[dict[str, Any]] = []
    session = await asyncpg.connect(database.sidecar)
    await session.add_listener(deltas.CHANNEL, lambda *said: heard.extend(json.loads(said[3])))
    try:
        yield heard
    finally:
        await session.close()


async def watched(told: Deltas, sidecar: Store) -> None:
    await sidecar.run(deltas.watch, [JOB_UID])
    await until(lambda: told.is_watched(JOB_UID))


async def test_nothing_is_told_of_a_job_that_nobody_watches(
    database: Database, gateway_store: Store, sidecar_store: Store
) -> None:
    before = value("coxswain_store_operation_seconds_count")
    async with telling(gateway_store) as told, hearing(database) as heard:
        voice = told.voice(document())
        voice.say("for nobody ")
        voice.end()
        assert value("coxswain_store_operation_seconds_count") == before
        await watched(told, sidecar_store)
        voice.say("for somebody")
        voice.end()
        await until(lambda: bool(heard))
    # What was said before is counted, so a reader sees that it came in the middle.
    assert [(each["offset"], each["text"]) for each in heard] == [(11, "for somebody")]


async def test_words_that_come_together_go_out_together(
    database: Database, gateway_store: Store, sidecar_store: Store
) -> None:
    before = value(TOLD, outcome="told")
    async with telling(gateway_store) as told, hearing(database) as heard:
        await watched(told, sidecar_store)
        voice = told.voice(document())
        for number in range(100):
            voice.say(f"{number} ")
        voice.end()
        await until(lambda: bool(heard))
        await until(lambda: value(TOLD, outcome="told") == before + 1)
    assert [each["text"] for each in heard] == ["".join(f"{number} " for number in range(100))]
    assert (heard[0]["job_uid"], heard[0]["attempt"]) == (JOB_UID, 1)


async def test_a_call_that_says_too_much_is_cut_and_its_offsets_show_it(
    database: Database, gateway_store: Store, sidecar_store: Store
) -> None:
    before = value(TOLD, outcome="dropped")
    async with telling(gateway_store) as told, hearing(database) as heard:
        await watched(told, sidecar_store)
        voice = told.voice(document())
        voice.say("x" * 1_000_000)
        voice.end()
        await until(lambda: len(heard) == MOST_PIECES_OF_CALL)
        voice.say("more")
        voice.end()
        await until(lambda: len(heard) == MOST_PIECES_OF_CALL + 1)
    assert heard[-1]["offset"] == 1_000_000
    assert heard[-2]["offset"] == (MOST_PIECES_OF_CALL - 1) * PIECE_CHARACTERS
    assert value(TOLD, outcome="dropped") > before
