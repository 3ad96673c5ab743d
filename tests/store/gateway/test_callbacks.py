"""Callbacks from the outbox to real receivers on loopback: once where all goes well, never not at all."""

import asyncio
import dataclasses
import json

import asyncpg
import pytest
from typing_extensions import override

from coxswain.api.deliveries import Claimed, DeliveryState, Outcome
from coxswain.gateway.callbacks.assembly import StoredOutbox
from coxswain.gateway.callbacks.worker import Worker
from coxswain.store import deliveries, outbox
from coxswain.store.deliveries import CHANNEL, Room
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from tests.support import ended, rows
from tests.support.callbacks import Office
from tests.support.postgres import Database
from tests.support.receiver import Drop, Flood, Hang, Receiver, Say


def url(receiver: Receiver, host: str = "a.test") -> str:
    return f"http://{host}:{receiver.port}/hook?x=1"


async def test_the_end_of_a_job_is_delivered_once_as_it_was_owed(
    office: Office, receiver: Receiver
) -> None:
    one = await office.owes(url(receiver))
    async with office.at_work():
        done = await office.ends(one)
    (got,) = receiver.received
    assert (done.state, done.tries) == (DeliveryState.DELIVERED, 1)
    assert got.path == "/hook?x=1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"a.test:{receiver.port}"
    assert got.id == str(one)
    assert json.loads(got.body) == json.loads(ended.delivery(url=url(receiver)).body)
    assert await office.log(one) == [(1, 200, "")]
    assert await office.told() == ["callback.delivered"]
    assert await office.details() == {
        "delivery": str(one),
        "host": "a.test",
        "try": 1,
        "status": 200,
    }


async def test_a_gateway_hears_at_once_of_what_is_owed(office: Office, receiver: Receiver) -> None:
    async with office.at_work():
        await office.owes(url(receiver), "a")
        await receiver.has(1)
        async with asyncio.timeout(0.9):
            await office.owes(url(receiver), "b")
            await receiver.has(2)


async def test_errors_and_a_lost_answer_are_tried_again_until_it_is_taken(
    office: Office, receiver: Receiver
) -> None:
    receiver.will(Say(500), Drop(), Say(204))
    one = await office.owes(url(receiver))
    async with office.at_work():
        done = await office.ends(one)
    assert done.state is DeliveryState.DELIVERED
    assert receiver.ids == [str(one)] * 3
    assert {each.body for each in receiver.received} == {receiver.received[0].body}
    (first, second, third) = await office.log(one)
    assert (first, third) == ((1, 500, "status"), (3, 204, ""))
    assert second[1] is None
    assert await office.told() == ["callback.failed"] * 2 + ["callback.delivered"]


async def test_a_receiver_that_hangs_keeps_no_other_one_waiting(
    office: Office, receiver: Receiver
) -> None:
    async with Receiver() as stuck:
        stuck.always(Hang())
        office.origins += [f"http://stuck.test:{stuck.port}"]
        office.seconds, office.per_host = 30.0, 2
        for n in range(20):
            await office.owes(url(stuck, "stuck.test"), f"s{n}")
        async with office.at_work():
            await stuck.has(2)
            ids = [await office.owes(url(receiver), f"w{n}") for n in range(20)]
            async with asyncio.timeout(5):
                for one in ids:
                    assert (await office.ends(one)).state is DeliveryState.DELIVERED
            assert len(stuck.received) == 2
            stuck.release()


async def test_a_receiver_that_never_answers_is_given_up_in_time(
    office: Office, receiver: Receiver
) -> None:
    receiver.always(Hang())
    office.seconds, office.limits = 0.2, dataclasses.replace(office.limits, tries=2)
    one = await office.owes(url(receiver))
    async with office.at_work():
        done = await office.ends(one)
    assert (done.state, done.reason) == (DeliveryState.DEAD, "AttemptsExhausted")
    assert await office.log(one) == [(1, None, "timeout"), (2, None, "timeout")]
    assert await office.told() == ["callback.failed", "callback.dead"]


async def test_an_answer_without_end_is_taken_for_its_status(
    office: Office, receiver: Receiver
) -> None:
    receiver.always(Flood())
    one = await office.owes(url(receiver))
    async with office.at_work():
        assert (await office.ends(one)).state is DeliveryState.DELIVERED


async def test_what_is_dead_is_driven_again_and_delivered(
    office: Office, receiver: Receiver, sidecar_store: Store
) -> None:
    receiver.will(*[Say(503)] * office.limits.tries)
    one = await office.owes(url(receiver))
    async with office.at_work():
        assert (await office.ends(one)).state is DeliveryState.DEAD
        event = rows.event("callback.redriven")
        await sidecar_store.transact(outbox.redrive, "team", one, event)
        done = await office.ends(one)
    assert done.state is DeliveryState.DELIVERED
    assert done.tries == office.limits.tries + 1
    assert receiver.ids == [str(one)] * done.tries


async def test_410_ends_it_at_once(office: Office, receiver: Receiver) -> None:
    receiver.will(Say(410))
    one = await office.owes(url(receiver))
    async with office.at_work():
        done = await office.ends(one)
    assert (done.state, done.reason) == (DeliveryState.DEAD, "Gone")
    assert len(receiver.received) == 1


async def test_the_wait_that_a_receiver_asks_for_is_kept(
    office: Office, receiver: Receiver
) -> None:
    office.limits = dataclasses.replace(office.limits, longest_wait_seconds=900, total_seconds=3600)
    receiver.will(Say(429, {"Retry-After": "600"}))
    one = await office.owes(url(receiver))
    async with office.at_work():
        await receiver.has(1)
        async with asyncio.timeout(5):
            while not await office.told():  # noqa: ASYNC110 - another task does it
                await asyncio.sleep(0.02)
    found = await office.state(one)
    assert found.state is DeliveryState.PENDING
    assert 500 < (found.due_at - found.created_at).total_seconds() < 660


async def test_a_redirect_is_not_followed(office: Office, receiver: Receiver) -> None:
    async with Receiver() as other:
        office.limits = dataclasses.replace(office.limits, tries=1)
        office.origins += [f"http://b.test:{other.port}"]
        for status in (301, 302, 303, 307, 308):
            receiver.will(Say(status, {"Location": url(other, "b.test")}))
            one = await office.owes(url(receiver), f"r{status}")
            async with office.at_work():
                assert (await office.ends(one)).state is DeliveryState.DEAD
            assert await office.log(one) == [(1, status, "redirect")]
        assert other.received == []


async def test_a_cookie_of_one_answer_is_not_sent_with_the_next(
    office: Office, receiver: Receiver
) -> None:
    receiver.will(Say(200, {"Set-Cookie": "a=b; Path=/"}))
    async with office.at_work():
        for name in ("a", "b"):
            await office.ends(await office.owes(url(receiver), name))
    assert [each.headers.get("cookie") for each in receiver.received] == [None, None]


async def test_two_gateways_at_once_deliver_each_once(office: Office, receiver: Receiver) -> None:
    ids = [await office.owes(url(receiver), f"j{n}") for n in range(60)]
    async with office.at_work(), office.at_work():
        for one in ids:
            assert (await office.ends(one)).state is DeliveryState.DELIVERED
    assert sorted(receiver.ids) == sorted(str(one) for one in ids)


class Dying(StoredOutbox):
    """The outbox of a gateway that dies after the receiver has answered, before it is kept."""

    @override
    async def settle(self, outcome: Outcome) -> bool:
        raise asyncio.CancelledError


async def test_a_gateway_that_dies_between_answer_and_mark_leads_to_a_repeat_with_one_id(
    office: Office, receiver: Receiver, database: Database
) -> None:
    one = await office.owes(url(receiver))
    async with office.sender(Dying(office.gateway)) as dying:
        (claimed,) = await office.gateway.run(deliveries.claim, Room(1, 1, {}), 60.0)
        await asyncio.gather(dying.deliver(claimed), return_exceptions=True)
    assert receiver.ids == [str(one)]
    await lapse(database)
    async with office.at_work():
        done = await office.ends(one)
    assert receiver.ids == [str(one)] * 2
    assert (done.state, done.tries) == (DeliveryState.DELIVERED, 2)
    assert await office.log(one) == [(2, 200, "")]


async def test_a_delivery_at_which_gateways_keep_dying_is_given_up(
    office: Office, receiver: Receiver, database: Database
) -> None:
    one = await office.owes(url(receiver))
    for _ in range(office.limits.tries):
        await office.gateway.run(deliveries.claim, Room(1, 1, {}), 60.0)
        await lapse(database)
    async with office.at_work():
        done = await office.ends(one)
    assert (done.state, done.reason) == (DeliveryState.DEAD, "AttemptsExhausted")
    assert receiver.received == []


async def test_one_that_is_told_to_end_finishes_what_is_under_way(
    office: Office, receiver: Receiver
) -> None:
    receiver.will(Hang())
    office.seconds = 10.0
    one = await office.owes(url(receiver))
    async with office.at_work():
        await receiver.has(1)
        asyncio.get_running_loop().call_later(0.2, receiver.release)
    assert (await office.state(one)).state is DeliveryState.DELIVERED


class Broken:
    """A sender with a bug."""

    async def deliver(self, claimed: Claimed) -> None:
        raise ZeroDivisionError


async def test_an_error_that_nobody_knows_ends_the_work_of_the_process(
    office: Office, receiver: Receiver
) -> None:
    await office.owes(url(receiver))
    listener = Listener(office.gateway.dsn, [CHANNEL])
    worker = Worker(StoredOutbox(office.gateway), Broken(), listener, per_host=4)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(10):
            await worker.run()


async def lapse(database: Database) -> None:
    """Time goes by, for the database, until every claim has run out."""
    connection = await asyncpg.connect(database.admin)
    await connection.execute("UPDATE deliveries SET due_at = now() WHERE state = 'Pending'")
    await connection.close()
