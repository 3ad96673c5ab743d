"""Leases through the client, against the real API."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from coxswain.client import AsyncClient, Client, errors
from tests.support.calls import QUICK
from tests.support.leases import Leases
from tests.support.sidecar_api import LOCAL_TOKEN, Api
from tests.support.waiting import until
from tests.support.wire import Wire


async def test_a_lease_is_held_for_a_block_and_free_after_it(
    client: AsyncClient, leases: Leases
) -> None:
    await leases.has()
    async with client.leases.hold("team", "deploy") as held:
        assert held.require() == held.token == 1
        assert held.under == {"team/deploy": 1}
        assert (await client.leases.get("team", "deploy")).state == "Held"
    assert (await client.leases.get("team", "deploy")).state == "Free"


async def test_a_block_that_fails_lets_go_too(client: AsyncClient, leases: Leases) -> None:
    await leases.has()
    with pytest.raises(ZeroDivisionError):
        async with client.leases.hold("team", "deploy"):
            raise ZeroDivisionError
    assert (await client.leases.get("team", "deploy")).state == "Free"


async def test_two_blocks_of_one_person_are_two_holders(
    client: AsyncClient, leases: Leases
) -> None:
    await leases.has()
    async with client.leases.hold("team", "deploy"):
        with pytest.raises(errors.ConflictError) as caught:
            async with client.leases.hold("team", "deploy"):
                pytest.fail("both hold it")
    assert caught.value.code == "lease_held"


async def test_who_waits_gets_it_with_a_larger_token(client: AsyncClient, leases: Leases) -> None:
    await leases.has()

    async def second() -> int:
        async with client.leases.hold("team", "deploy", wait_seconds=20) as held:
            return held.token

    async with client.leases.hold("team", "deploy") as held:
        waiting = asyncio.create_task(second())
        await _comes(lambda: _is_awaited(client))
    assert await waiting == held.token + 1


async def test_it_is_renewed_beside_the_block_also_when_answers_are_lost(
    client: AsyncClient, leases: Leases, wire: Wire
) -> None:
    await leases.has(ttl_seconds=5)
    async with client.leases.hold("team", "deploy") as held:
        before = (await leases.row()).expires_at
        assert before is not None
        wire.cut_after(0, 0)
        await until(lambda: wire.cuts == 2)
        await _comes(lambda: _has_moved(leases, before))
        assert held.is_kept


async def test_a_block_whose_lease_was_handed_on_is_told(
    client: AsyncClient, leases: Leases
) -> None:
    await leases.has(ttl_seconds=5)

    async def block() -> None:
        async with client.leases.hold("team", "deploy") as held:
            await leases.passes(60)
            await leases.lapse()
            await until(lambda: not held.is_kept)
            with pytest.raises(errors.LeaseLostError):
                held.require()

    with pytest.raises(errors.LeaseLostError):
        await block()


async def test_without_await_it_is_held_and_renewed_by_a_thread(api: Api, leases: Leases) -> None:
    await leases.has(ttl_seconds=5)
    inside, done = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold() -> int:
        with (
            Client(api.url, LOCAL_TOKEN, policy=QUICK) as client,
            client.leases.hold("team", "deploy") as held,
        ):
            loop.call_soon_threadsafe(inside.set)
            asyncio.run_coroutine_threadsafe(done.wait(), loop).result(30)
            return held.require()

    holding = asyncio.create_task(asyncio.to_thread(hold))
    await inside.wait()
    before = (await leases.row()).expires_at
    await _comes(lambda: _has_moved(leases, before))
    done.set()
    assert await holding == 1
    assert (await leases.row()).holder is None


async def test_many_are_renewed_at_once_and_each_is_listed(
    client: AsyncClient, leases: Leases
) -> None:
    for name in ("one", "two"):
        await leases.has(name)
    first = await client.leases.acquire("team", "one", holder="a")
    answer = await client.leases.renew_many(
        "team",
        [
            {"name": "one", "token": first.token, "holder": "a"},
            {"name": "two", "token": 1, "holder": "a"},
        ],
    )
    assert [each.name for each in answer.renewed] == ["one"]
    assert [each.name for each in answer.refused] == ["two"]
    assert [each.name async for each in client.leases.list(page=1)] == ["one", "two"]
    assert [each.name async for each in client.leases.list("team", state="Held")] == ["one"]


async def test_a_lease_that_is_over_is_handed_on_by_a_person(
    client: AsyncClient, leases: Leases
) -> None:
    await leases.has()
    taken = await client.leases.acquire("team", "deploy", holder="gone")
    await leases.passes(60)
    await leases.lapse()
    handed = await client.leases.reclaim("team", "deploy", taken.token, reason="it burned")
    assert handed.holder is None


async def _has_moved(leases: Leases, before: object) -> bool:
    return (await leases.row()).expires_at != before


async def _is_awaited(client: AsyncClient) -> bool:
    return (await client.leases.get("team", "deploy")).waiters > 0


async def _comes(condition: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again, for 20 s at most."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.05)
