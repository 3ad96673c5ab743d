"""The outbox against a real Postgres: one claim at a time, nothing lost, no host before another."""

import asyncio
import dataclasses
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from coxswain.api.deliveries import Claimed, Delivery, DeliveryState, Outcome, Settled, Try
from coxswain.errors import ConflictError
from coxswain.store import deliveries, events, outbox
from coxswain.store.deliveries import Room
from coxswain.store.pool import Store
from tests.support import ended, rows
from tests.support.postgres import Database

LEASE = 60.0
DONE = Settled(DeliveryState.DELIVERED)
DEAD = Settled(DeliveryState.DEAD, "Gone")
AT = datetime(2026, 11, 21, 3, tzinfo=UTC)


def room(total: int = 10, per_host: int = 4, **busy: int) -> Room:
    return Room(total, per_host, busy)


async def owed(store: Store, *names: str, host: str = "receiver.example") -> list[UUID]:
    """Deliveries of Jobs of these names."""
    made = [ended.delivery(name, url=f"https://{host}/hook") for name in names]
    await store.transact(deliveries.owe, made)
    return [each.id for each in made]


async def claim(store: Store, given: Room | None = None, lease: float = LEASE) -> list[Claimed]:
    return [*await store.run(deliveries.claim, given or room(), lease)]


async def settle(store: Store, claimed: Claimed, found: Settled, status: int = 200) -> bool:
    tried = Try(claimed.delivery.tries, AT, 12, status)
    event = rows.event("callback.failed", actor="egress", uid=claimed.delivery.job_uid)
    (is_ours,) = await store.transact(deliveries.settle, [Outcome(claimed, found, tried, event)])
    return is_ours


async def state(store: Store, delivery: UUID) -> Delivery:
    found = await store.run(outbox.get, "team", delivery)
    assert found is not None
    return found


async def lapse(database: Database) -> None:
    """Time goes by, for the database, until every claim has run out."""
    connection = await asyncpg.connect(database.admin)
    await connection.execute("UPDATE deliveries SET due_at = now() WHERE state = 'Pending'")
    await connection.close()


async def test_what_is_owed_twice_stands_once(operator_store: Store) -> None:
    one = ended.delivery("a")
    assert await operator_store.transact(deliveries.owe, [one, ended.delivery("b")]) == 2
    assert await operator_store.transact(deliveries.owe, [one]) == 0


async def test_a_claim_is_one_gateways_alone_and_carries_what_is_to_be_sent(
    operator_store: Store, gateway_store: Store
) -> None:
    await owed(operator_store, "a")
    (claimed,) = await claim(gateway_store)
    assert await claim(gateway_store) == []
    assert claimed.body == ended.delivery("a", url="https://receiver.example/hook").body
    assert (claimed.delivery.tries, claimed.delivery.round_tries) == (1, 1)
    assert claimed.waited_seconds == 0


async def test_many_gateways_at_once_claim_each_delivery_once(
    operator_store: Store, gateway_store: Store
) -> None:
    ids = await owed(operator_store, *(f"j{n}" for n in range(40)))
    found = await asyncio.gather(*(claim(gateway_store, room(10, 10)) for _ in range(8)))
    while more := await claim(gateway_store, room(10, 10)):
        found.append(more)
    taken = [claimed.delivery.id for part in found for claimed in part]
    assert sorted(taken) == sorted(ids)


async def test_a_host_gets_no_more_than_its_share_and_others_theirs(
    operator_store: Store, gateway_store: Store
) -> None:
    await owed(operator_store, *(f"h{n}" for n in range(20)), host="hangs.example")
    await owed(operator_store, "w", host="works.example")
    first = await claim(gateway_store)
    assert sorted(each.delivery.host for each in first) == ["hangs.example"] * 4 + ["works.example"]
    busy = {"hangs.example": 3, "works.example": 0}
    assert len(await claim(gateway_store, Room(10, 4, busy))) == 1
    assert await claim(gateway_store, Room(10, 4, {"hangs.example": 4})) == []


async def test_a_gateway_takes_no_more_than_it_has_room_for(
    operator_store: Store, gateway_store: Store
) -> None:
    for host in "abc":
        await owed(operator_store, f"{host}1", f"{host}2", host=f"{host}.example")
    assert len(await claim(gateway_store, room(total=3, per_host=1))) == 3
    assert len(await claim(gateway_store, room(total=2, per_host=4))) == 2


async def test_a_claim_whose_gateway_died_comes_due_again_and_counts(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    await owed(operator_store, "a")
    (first,) = await claim(gateway_store)
    await lapse(database)
    (second,) = await claim(gateway_store)
    assert second.claim != first.claim
    assert second.delivery.tries == 2


async def test_a_lease_ends_by_the_clock_of_the_database(
    operator_store: Store, gateway_store: Store
) -> None:
    await owed(operator_store, "a")
    await claim(gateway_store, lease=0.0)
    assert len(await claim(gateway_store)) == 1


async def test_what_is_given_back_does_not_count(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    (one,) = await owed(operator_store, "a")
    (claimed,) = await claim(gateway_store)
    await gateway_store.run(deliveries.give_back, claimed, 30.0)
    assert await claim(gateway_store) == []
    assert (await state(gateway_store, one)).tries == 0
    await lapse(database)
    (again,) = await claim(gateway_store)
    assert (again.delivery.tries, again.waited_seconds) == (1, 0)
    await gateway_store.run(deliveries.give_back, claimed, 0.0)
    assert (await state(gateway_store, one)).tries == 1


async def test_a_try_its_event_and_what_came_of_it_are_kept_together(
    operator_store: Store, gateway_store: Store
) -> None:
    (one,) = await owed(operator_store, "a")
    (claimed,) = await claim(gateway_store)
    assert await settle(gateway_store, claimed, DONE)
    assert not await settle(gateway_store, claimed, DONE)
    found = await state(gateway_store, one)
    assert found.state is DeliveryState.DELIVERED
    assert found.ended_at is not None
    assert await gateway_store.run(outbox.tries, one) == [Try(1, AT, 12, 200)]
    page = await gateway_store.run(events.after, 0)
    assert [each.event.type for each in page.events] == ["callback.failed"]
    assert await claim(gateway_store) == []


async def test_of_many_that_are_settled_together_only_those_count_whose_claim_stands(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    await owed(operator_store, "a", "b")
    late = {each.delivery.job_name: each for each in await claim(gateway_store)}
    await lapse(database)
    now = {each.delivery.job_name: each for each in await claim(gateway_store)}
    later = Settled(DeliveryState.PENDING, wait_seconds=300)
    batch = [
        Outcome(claimed, later, None, rows.event(name))
        for name, claimed in (
            ("user.one", now["a"]),
            ("user.two", late["b"]),
            ("user.three", late["a"]),
        )
    ]
    assert await gateway_store.transact(deliveries.settle, batch) == [True, False, False]
    page = await gateway_store.run(events.after, 0)
    assert [each.event.type for each in page.events] == ["user.one"]
    assert (await state(gateway_store, now["b"].delivery.id)).tries == 2
    assert (await state(gateway_store, now["a"].delivery.id)).tries == 1


async def test_another_try_comes_after_its_wait(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    (one,) = await owed(operator_store, "a")
    (claimed,) = await claim(gateway_store)
    later = Settled(DeliveryState.PENDING, wait_seconds=300)
    assert await settle(gateway_store, claimed, later, 500)
    assert await claim(gateway_store) == []
    found = await state(gateway_store, one)
    assert 290 < (found.due_at - datetime.now(UTC)).total_seconds() <= 300
    await lapse(database)
    assert len(await claim(gateway_store)) == 1


async def test_a_gateway_that_wakes_up_late_changes_nothing_but_what_is_a_fact(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    (one,) = await owed(operator_store, "a")
    (late,) = await claim(gateway_store)
    await lapse(database)
    (now,) = await claim(gateway_store)
    assert not await settle(gateway_store, late, DEAD, 410)
    assert (await state(gateway_store, one)).state is DeliveryState.PENDING
    assert await settle(gateway_store, now, DEAD, 410)
    assert await settle(gateway_store, late, DONE)
    assert (await state(gateway_store, one)).state is DeliveryState.DELIVERED


async def redrive(store: Store, delivery: UUID, workspace: str = "team") -> Delivery | None:
    event = rows.event("callback.redriven")
    return await store.transact(outbox.redrive, workspace, delivery, event)


async def test_a_dead_delivery_is_driven_again_with_a_new_round_of_tries(
    operator_store: Store, gateway_store: Store, sidecar_store: Store
) -> None:
    (one,) = await owed(operator_store, "a")
    (claimed,) = await claim(gateway_store)
    await settle(gateway_store, claimed, DEAD, 410)
    for _ in range(2):
        again = await redrive(sidecar_store, one)
        assert again is not None
        assert (again.state, again.reason, again.ended_at) == (DeliveryState.PENDING, "", None)
    (second,) = await claim(gateway_store)
    assert (second.delivery.tries, second.delivery.round_tries) == (2, 1)
    assert second.waited_seconds == 0
    await settle(gateway_store, second, DONE)
    assert [each.number for each in await sidecar_store.run(outbox.tries, one)] == [1, 2]
    page = await sidecar_store.run(events.after, 0, events.Filter(type="callback.redriven"))
    assert len(page.events) == 1


async def test_what_was_delivered_or_is_not_there_is_not_driven_again(
    operator_store: Store, gateway_store: Store, sidecar_store: Store
) -> None:
    (one,) = await owed(operator_store, "a")
    (claimed,) = await claim(gateway_store)
    await settle(gateway_store, claimed, DONE)
    with pytest.raises(ConflictError) as refused:
        await redrive(sidecar_store, one)
    assert refused.value.code == "delivery_delivered"
    assert await redrive(sidecar_store, uuid4()) is None
    assert await redrive(sidecar_store, one, "another") is None


async def test_deliveries_are_listed_newest_first_page_by_page_and_by_state(
    operator_store: Store, gateway_store: Store
) -> None:
    for name in ("a", "b", "c"):
        await owed(operator_store, name)
    (claimed, *_) = await claim(gateway_store, room(total=1))
    await settle(gateway_store, claimed, DONE)
    names, cursor = [], None
    while True:
        page = await gateway_store.run(
            outbox.page, outbox.Query(frozenset({"team"})), cursor, limit=2
        )
        names += [each.job_name for each in page.items]
        if (cursor := page.next) is None:
            break
    assert names == ["c", "b", "a"]
    pending = outbox.Query(state=DeliveryState.PENDING)
    assert len((await gateway_store.run(outbox.page, pending)).items) == 2
    by_job = outbox.Query(job="b")
    assert [each.job_name for each in (await gateway_store.run(outbox.page, by_job)).items] == ["b"]
    assert (await gateway_store.run(outbox.page, outbox.Query(frozenset({"another"})))).items == ()


async def test_behind_a_long_line_of_others_every_host_has_its_turn(
    operator_store: Store, gateway_store: Store
) -> None:
    made = [
        dataclasses.replace(ended.delivery(f"j{n}"), host=f"h{n % 3}.example") for n in range(3000)
    ]
    await operator_store.transact(deliveries.owe, made)
    found = await claim(gateway_store, room(total=100, per_host=5))
    assert len(found) == 15
    assert {each.delivery.host for each in found} == {f"h{n}.example" for n in range(3)}
