"""Streams through the client, against the real API, over a wire that is cut."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from coxswain.client import AsyncClient, Client, errors
from coxswain.client.models import EventView, ResyncView
from coxswain.store import events, mirror
from coxswain.store.pool import Store
from tests.support.calls import QUICK
from tests.support.postgres import Database
from tests.support.rows import event
from tests.support.sidecar_api import LOCAL_TOKEN, Api, object_row, running
from tests.support.wire import Wire

MANY = 60
Item = EventView | ResyncView


async def append(api: Api, *kinds: str, **fields: Any) -> int:
    batch = [event(kind, **fields) for kind in kinds]
    return (await api.operator.run(events.append, batch)).last_position


async def taken(stream: AsyncGenerator[Item, None], count: int) -> list[EventView]:
    """So many events of a stream, which is left then."""
    found: list[EventView] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            each = await anext(stream)
            assert isinstance(each, EventView)
            found.append(each)
    await stream.aclose()
    return found


def scattered(seed: int) -> list[int]:
    """Byte counts for cuts: in heads of answers, in frames, at once."""
    chance = random.Random(seed)  # noqa: S311 - the same cuts each time
    return [chance.choice([0, chance.randrange(400), chance.randrange(4000)]) for _ in range(12)]


@pytest.mark.parametrize("seed", range(5))
async def test_a_log_is_followed_over_cuts_with_no_gap_and_no_repeat(
    api: Api, client: AsyncClient, wire: Wire, seed: int
) -> None:
    await append(api, *["user.before"] * MANY)
    wire.cut_after(*scattered(seed))
    reading = asyncio.create_task(taken(client.events.tail(after=0), 2 * MANY))
    for _ in range(MANY):
        await append(api, "user.live")
    found = await reading
    assert [each.position for each in found] == list(range(1, 2 * MANY + 1))
    assert wire.cuts >= 10


async def test_a_job_is_followed_over_cuts_from_its_beginning_to_its_end(
    api: Api, client: AsyncClient, wire: Wire
) -> None:
    row = await api.mirrored("first", phase="Running")
    about = {"uid": row.uid, "workspace": "team", "kind": "Job", "name": "first"}
    await append(api, "job.queued", "job.running", **about)
    wire.cut_after(600, 0, 900, 300)

    async def work() -> None:
        for number in range(20):
            await append(api, "user.elsewhere")
            await append(api, "run.output", **about, details={"text": f"line {number}\n"})
        ended = object_row("first", uid=row.uid, phase="Succeeded", version=2)
        await api.operator.transact(mirror.write, [ended], [event("job.succeeded", **about)])

    working = asyncio.create_task(work())
    async with asyncio.timeout(30):
        found = [each async for each in client.jobs.follow("team", "first")]
    await working
    kinds = [each.type for each in found if isinstance(each, EventView)]
    assert kinds == ["job.queued", "job.running", *["run.output"] * 20, "job.succeeded"]
    assert wire.cuts == 4
    assert (await client.jobs.wait("team", "first")).status == "Succeeded"


async def test_without_await_the_same_is_read(api: Api, wire: Wire) -> None:
    await append(api, *["user.note"] * MANY)
    wire.cut_after(1500, 0, 2500)

    def read() -> list[int]:
        with Client(wire.url, LOCAL_TOKEN, policy=QUICK) as client:
            stream = client.events.tail(after=0)
            return [next(stream).position for _ in range(MANY)]  # type: ignore[union-attr]  # no mark

    assert await asyncio.to_thread(read) == list(range(1, MANY + 1))
    assert wire.cuts == 3


async def test_a_position_that_was_dropped_is_told(
    api: Api, client: AsyncClient, database: Database
) -> None:
    await append(api, "user.a", "user.b")
    connection = await asyncpg.connect(database.owner)
    await connection.execute("UPDATE event_head SET timeline = timeline + 1")
    await connection.close()
    last = await append(api, "user.c")
    async with aclosing(client.events.tail(after=7)) as stream:
        mark, first = await anext(stream), await anext(stream)
    assert mark == ResyncView(oldest=1, head=last)
    assert isinstance(first, EventView)
    assert first.position == last
    assert [each async for each in client.events.list(after=7)] == [mark, first]


async def test_pages_and_filters_give_what_the_stream_gives(api: Api, client: AsyncClient) -> None:
    await append(api, *["user.a", "user.b"] * 5, workspace="team")
    await append(api, "user.a", workspace="other")
    listed = [each async for each in client.events.list(type="user.a", workspace="team", page=2)]
    streamed = await taken(client.events.tail(after=0, type="user.a", workspace="team"), 5)
    assert listed == streamed
    assert [each.position for each in streamed] == [1, 3, 5, 7, 9]


async def test_a_position_that_never_was_is_refused(client: AsyncClient) -> None:
    with pytest.raises(errors.MalformedError) as caught:
        await anext(client.events.tail(after=99))
    assert caught.value.code == "position_unknown"


async def test_a_reader_whose_key_is_revoked_is_told_so(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with (
        running(database, operator_store, tmp_path, again_seconds=0.1) as api,
        AsyncClient(api.url, LOCAL_TOKEN) as admin,
    ):
        key = await admin.keys.create("ci", "Read")
        await append(api, "user.note")
        async with AsyncClient(api.url, key.secret, policy=QUICK) as client:
            stream = client.events.tail(after=0)
            await anext(stream)
            await admin.keys.revoke(key.id, reason="over")
            with pytest.raises(errors.UnauthenticatedError):
                async with asyncio.timeout(20):
                    await anext(stream)


async def test_a_client_goes_on_at_another_process(
    api: Api, database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with (
        running(database, operator_store, tmp_path) as other,
        AsyncClient(api.url, LOCAL_TOKEN) as here,
        AsyncClient(other.url, LOCAL_TOKEN) as there,
    ):
        await append(api, "user.a", "user.b", "user.c")
        first = await taken(here.events.tail(after=0), 2)
        rest = await taken(there.events.tail(after=first[-1].position), 1)
    assert [each.type for each in first + rest] == ["user.a", "user.b", "user.c"]
