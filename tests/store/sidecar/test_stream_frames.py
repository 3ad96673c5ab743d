"""What a live stream is beside its events: how to come back, that it lives, who has its session, when it ends."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from coxswain.store import events
from coxswain.store.pool import Store
from tests.support.event_streams import LIVE, Reader, reading
from tests.support.measured import value
from tests.support.postgres import Database
from tests.support.rows import event
from tests.support.sidecar_api import Api, running
from tests.support.waiting import until


async def append(api: Api, *kinds: str) -> int:
    return (await api.operator.run(events.append, [event(kind) for kind in kinds])).last_position


async def test_a_stream_says_first_when_to_come_back_and_each_says_another_time(api: Api) -> None:
    waits = []
    for _ in range(8):
        async with reading(api.user, "/v1/events?after=0") as reader:
            await append(api, "user.a")
            await reader.take(1)
            waits.append(reader.retry)
    assert all(each is not None and 1000 <= each <= 5000 for each in waits)
    assert len(set(waits)) > 1


async def test_a_quiet_stream_is_kept_alive(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with (
        running(database, operator_store, tmp_path, ping_seconds=0.1) as api,
        reading(api.user, "/v1/events") as reader,
    ):
        asked = asyncio.create_task(reader.next())
        await until(lambda: reader.pings >= 3)
        await append(api, "user.a")
        frame = await asked
    assert frame is not None
    assert frame.position == 1


async def test_what_comes_together_goes_out_together(api: Api) -> None:
    sent, writes = "coxswain_stream_events_total", "coxswain_stream_writes_total"
    async with reading(api.user, "/v1/events") as reader:
        before = value(sent), value(writes)
        for _ in range(200):
            await append(api, "user.a")
        frames = await reader.take(200)
        given = value(sent) - before[0], value(writes) - before[1]
    assert [each.position for each in frames] == list(range(1, 201))
    assert given[0] == 200
    # One write per tick of a twentieth of a second, not one per event.
    assert given[1] <= 100


async def closed(reader: Reader) -> str:
    (frame,) = await reader.rest()
    assert (frame.name, frame.position) == ("closed", None)
    return str(frame.data["code"])


async def is_open(api: Api, reader: Reader) -> bool:
    last = await append(api, "user.still")
    frame = await reader.next()
    return frame is not None and frame.position == last


async def test_a_second_stream_of_a_session_closes_the_first_with_a_reason(api: Api) -> None:
    path = "/v1/events?session=tab-1"
    before = value("coxswain_streams_ended_total", reason="replaced")
    async with reading(api.user, path) as first, reading(api.user, path) as second:
        assert await closed(first) == "session_replaced"
        assert await is_open(api, second)
    assert value("coxswain_streams_ended_total", reason="replaced") == before + 1


async def test_of_a_session_at_two_replicas_the_last_stream_stays(
    api: Api, database: Database, operator_store: Store, tmp_path: Path
) -> None:
    path = "/v1/events?session=tab-1"
    async with (
        running(database, operator_store, tmp_path) as other,
        reading(api.user, path) as first,
        reading(other.user, path) as second,
        reading(api.user, path) as third,
    ):
        assert await closed(first) == "session_replaced"
        assert await closed(second) == "session_replaced"
        assert await is_open(api, third)


async def test_of_streams_of_a_session_that_come_at_once_exactly_one_stays(
    api: Api, database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with running(database, operator_store, tmp_path) as other, AsyncExitStack() as stack:

        async def opened(where: Api) -> Reader:
            path = "/v1/events?session=tab-1"
            return await stack.enter_async_context(reading(where.user, path))

        readers = await asyncio.gather(*(opened(each) for each in (api, other) * 4))
        told = [asyncio.create_task(reader.next()) for reader in readers]
        await until(lambda: sum(each.done() for each in told) == len(told) - 1)
        last = await append(api, "user.still")
        found = [frame for each in told if (frame := await each) is not None]
    assert [each.position for each in found if each.name == ""] == [last]
    assert [each.name for each in found].count("closed") == len(told) - 1


async def test_other_sessions_other_callers_and_streams_without_one_stay_open(api: Api) -> None:
    key = await api.key(role="Read")
    async with (
        reading(api.user, "/v1/events?session=tab-1") as first,
        reading(api.user, "/v1/events?session=tab-2") as other,
        reading(api.user, "/v1/events") as without,
        reading(api.user, "/v1/events?session=tab-1", headers=key) as stranger,
        reading(api.user, "/v1/events?session=tab-3") as last,
    ):
        for reader in (first, other, without, stranger, last):
            first_position = await append(api, "user.still")
            frame = await reader.next()
            assert frame is not None
            assert frame.position is not None
            assert frame.position <= first_position


async def test_a_position_is_one_of_the_log_in_whichever_stream_it_was_given(api: Api) -> None:
    row = await api.mirrored("first", phase="Running")
    about = {"uid": row.uid, "workspace": "team", "kind": "Job", "name": "first"}
    await append(api, "user.a", "user.b")
    batch = [event("job.created", **about), event("user.c"), event("job.succeeded", **about)]
    await api.operator.run(events.append, batch)
    async with reading(api.user, "/v1/events", after=1) as all_of_it:
        given = (await all_of_it.take(2))[-1].position
    assert given == 3
    path = "/v1/workspaces/team/jobs/first/stream"
    async with reading(api.user, path, after=given) as of_job:
        frames = await of_job.rest()
    assert [(each.position, each.data["type"]) for each in frames] == [(5, "job.succeeded")]


@pytest.mark.parametrize(
    ("given", "code"),
    [("2026", "position_unknown"), ("0x10", "malformed"), ("1;2", "malformed"), ("é", "malformed")],
)
@pytest.mark.parametrize("path", ["/v1/events", "/v1/workspaces/team/jobs/first/stream"])
async def test_a_position_of_another_log_is_refused_with_what_to_do(
    api: Api, path: str, given: str, code: str
) -> None:
    await api.mirrored("first", phase="Running")
    await append(api, "user.a")
    async with api.user.get(path, headers=LIVE | {"Last-Event-ID": given}) as answer:
        body = await answer.json(content_type=None)
    assert (answer.status, body["code"]) == (400, code)
    if code == "position_unknown":
        assert "ends at 1" in body["message"]


async def test_a_stream_that_ends_with_its_process_is_whole(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    before = value("coxswain_streams_ended_total", reason="stopping")
    async with aiohttp.ClientSession() as session:
        async with running(database, operator_store, tmp_path) as api:
            headers = LIVE | dict(api.user.headers)
            answer = await session.get(f"{api.url}/v1/events?after=0", headers=headers)
            await append(api, "user.a")
            reader = Reader(answer)
            await reader.take(1)
        # A cut body would raise.
        assert await reader.rest() == []
    assert value("coxswain_streams_ended_total", reason="stopping") == before + 1
