"""A page that waits: the same events as a stream, at the same positions, without asking Postgres meanwhile."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from coxswain.store import events
from coxswain.store.pool import Store
from tests.support.event_streams import reading
from tests.support.measured import value
from tests.support.postgres import Database
from tests.support.rows import event
from tests.support.sidecar_api import Api, running
from tests.support.waiting import until

WAITING = "coxswain_long_polls_waiting"
OPERATIONS = "coxswain_store_operation_seconds_count"


async def append(api: Api, *kinds: str, **fields: Any) -> int:
    batch = [event(kind, **fields) for kind in kinds]
    return (await api.operator.run(events.append, batch)).last_position


async def page(api: Api, query: str) -> dict[str, Any]:
    async with api.user.get(f"/v1/events?{query}") as answer:
        found: dict[str, Any] = await answer.json(content_type=None)
        assert answer.status == 200, found
        return found


def waiting(api: Api, query: str) -> asyncio.Task[dict[str, Any]]:
    return asyncio.create_task(page(api, query))


async def one_waits() -> None:
    await until(lambda: value(WAITING) == 1)


def positions(found: dict[str, Any]) -> list[int]:
    return [each["position"] for each in found["events"]]


async def test_it_answers_at_once_when_something_is_there(api: Api) -> None:
    await append(api, "user.a", "user.b")
    async with asyncio.timeout(5):
        found = await page(api, "after=1&wait=30")
    assert (positions(found), found["next"], found["more"]) == ([2], 2, False)


async def test_it_is_woken_by_what_comes(api: Api) -> None:
    await append(api, "user.a")
    asked = waiting(api, "after=1&wait=30")
    await one_waits()
    await append(api, "user.b", "user.c")
    async with asyncio.timeout(5):
        found = await asked
    assert (positions(found), found["next"]) == ([2, 3], 3)


async def test_it_is_empty_at_the_same_position_when_the_time_is_over(api: Api) -> None:
    await append(api, "user.a")
    began = time.monotonic()
    found = await page(api, "after=1&wait=1")
    assert time.monotonic() - began >= 1
    assert (found["events"], found["next"], found["more"]) == ([], 1, False)


async def test_it_waits_for_what_passes_and_goes_on_behind_the_rest(api: Api) -> None:
    asked = waiting(api, "after=0&wait=30&type=job.&workspace=team")
    await one_waits()
    await append(api, "user.a", "job.created", workspace="other")
    await append(api, "job.queued", workspace="team")
    async with asyncio.timeout(5):
        found = await asked
    assert (positions(found), found["next"]) == ([3], 3)


async def test_it_gives_what_a_stream_gives_at_the_same_positions(api: Api) -> None:
    query, wanted = "type=user.&workspace=team", 60

    async def poll() -> list[int]:
        seen: list[int] = []
        after = 0
        while len(seen) < wanted:
            found = await page(api, f"after={after}&wait=10&limit=7&{query}")
            seen += positions(found)
            after = found["next"]
        return seen

    async def follow() -> list[int]:
        async with reading(api.user, f"/v1/events?{query}", after=0) as reader:
            return [each.position or 0 for each in await reader.take(wanted)]

    async def write() -> None:
        for _ in range(wanted):
            await append(api, "user.a", "job.created", workspace="team")
            await append(api, "user.b", workspace="other")

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        polled, followed = group.create_task(poll()), group.create_task(follow())
        group.create_task(write())
    assert polled.result() == followed.result()
    assert polled.result() == list(range(1, 3 * wanted, 3))


async def test_many_that_wait_do_not_ask_postgres(api: Api) -> None:
    before = value(OPERATIONS)
    found = await asyncio.gather(*(page(api, "wait=1") for _ in range(40)))
    assert all(each["events"] == [] for each in found)
    # Each asked once, before it waited; the rest is the process's own.
    assert value(OPERATIONS) - before < 60


async def test_it_counts_as_a_stream(
    database: Database, operator_store: Store, tmp_path: Any
) -> None:
    async with running(database, operator_store, tmp_path, streams=1) as api:
        asked = waiting(api, "wait=30")
        await one_waits()
        async with api.user.get("/v1/events?wait=1") as answer:
            body = await answer.json(content_type=None)
        await append(api, "user.a")
        assert positions(await asked) == [1]
    assert (answer.status, body["code"]) == (503, "too_many_streams")


async def test_it_answers_when_the_process_ends(
    database: Database, operator_store: Store, tmp_path: Any
) -> None:
    async with aiohttp.ClientSession() as session:
        async with running(database, operator_store, tmp_path) as api:
            url = f"{api.url}/v1/events?wait=30"
            asked = asyncio.create_task(session.get(url, headers=dict(api.user.headers)))
            await one_waits()
        async with await asked as answer:
            assert (answer.status, (await answer.json())["events"]) == (200, [])


async def test_who_lost_the_right_meanwhile_is_told_nothing(api: Api) -> None:
    made, headers = await api.made_key(role="Read")
    # A key is looked at again after 2 s.
    asked = asyncio.create_task(api.anybody.get("/v1/events?wait=3", headers=headers))
    await one_waits()
    async with api.user.post(f"/v1/keys/{made}/revoke", json={"reason": "over"}) as revoked:
        assert revoked.status == 200
    async with await asked as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (
            401,
            "key_revoked",
        )


@pytest.mark.parametrize("query", ["wait=1&after=99", "wait=1&after=x"])
async def test_a_bad_position_is_refused_before_it_waits(api: Api, query: str) -> None:
    async with asyncio.timeout(1), api.user.get(f"/v1/events?{query}") as answer:
        assert answer.status in {400, 422}
