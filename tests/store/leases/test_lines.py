"""Waiting in line: first come, first served; a line is bounded, and the dead stand in nobody's way."""

import asyncio
from typing import Any

import pytest

from coxswain.api.records import Lease, LeaseHolder, RunKey
from coxswain.errors import ConflictError
from coxswain.store import wakes
from coxswain.store.leases import lines
from coxswain.store.leases.holding import Refused
from coxswain.store.leases.lines import Ticket
from coxswain.store.listener import Listener
from coxswain.store.pool import Connection, Store
from tests.support.leases import ANN, BOB, Leases
from tests.support.postgres import Database

PLACE = ("team", "deploy")
CAT = LeaseHolder.of_user("cat", None)


def job(name: str, attempt: int = 1) -> LeaseHolder:
    return LeaseHolder.of_run(RunKey("00000000-0000-4000-8000-000000000001", attempt), name)


async def ahead(answer: Lease | Refused) -> int | None:
    assert isinstance(answer, Refused)
    return answer.ahead


async def stands(store: Store, name: str, holder: LeaseHolder) -> bool:
    return await store.transact(lines.stand, Ticket("team", name, holder, 30)) is not None


async def woken(store: Store) -> set[tuple[str, str]]:
    """What the operator is asked to look at; it has looked then."""
    found = await store.run(wakes.unhandled)
    await store.transact(wakes.handled, found)
    return {(each.kind, each.name) for each in found}


async def test_who_came_first_gets_it_first(leases: Leases) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    assert await ahead(await leases.asks(BOB, wait=10)) == 0
    assert await ahead(await leases.asks(CAT, wait=10)) == 1
    await leases.lets_go(ANN, mine.token)
    for late in (CAT, ANN):
        with pytest.raises(ConflictError, match="user:bob is ahead") as refused:
            await leases.takes(late)
        assert refused.value.code == "lease_awaited"
    assert (await leases.takes(BOB)).holder == BOB
    assert (await leases.row()).waiters == 1


async def test_asking_again_keeps_the_place(leases: Leases) -> None:
    await leases.has()
    await leases.takes(ANN)
    await leases.asks(BOB, wait=10)
    await leases.asks(CAT, wait=10)
    assert await ahead(await leases.asks(BOB, wait=10)) == 0
    assert (await leases.row()).waiters == 2


async def test_one_who_is_gone_is_passed_over(leases: Leases, operator_store: Store) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    await leases.asks(BOB, wait=10)
    await leases.asks(CAT, wait=10)
    await leases.lets_go(ANN, mine.token)

    async def dies(connection: Connection) -> None:
        await connection.execute(
            "UPDATE lease_tickets SET alive_until = now() - interval '1 s' WHERE holder = 'user:bob'"
        )

    await operator_store.transact(dies)
    assert (await leases.takes(CAT)).holder == CAT
    assert await ahead(await leases.asks(BOB, wait=10)) == 0


async def test_a_place_outlives_the_look_of_a_request_by_fifteen_seconds_however_long_it_waits(
    leases: Leases,
) -> None:
    await leases.has()
    await leases.takes(ANN)
    answer = await leases.asks(BOB, wait=60)
    now = (await leases.row()).read_at
    assert isinstance(answer, Refused)
    assert answer.until is not None
    assert 10 < (answer.until - now).total_seconds() <= 16


async def test_who_gives_up_leaves_unless_the_same_holder_has_asked_again(
    leases: Leases, sidecar_store: Store, operator_store: Store
) -> None:
    await leases.has()
    await leases.takes(ANN)
    first, again = await leases.asks(BOB, wait=10), await leases.asks(BOB, wait=10)
    assert await stands(operator_store, "deploy", job("next"))
    for answer, waiters in ((first, 2), (again, 1)):
        assert isinstance(answer, Refused)
        assert answer.until is not None
        await woken(operator_store)
        await sidecar_store.transact(lines.give_up, PLACE, BOB.text, answer.until)
        assert (await leases.row()).waiters == waiters
    assert ("Job", "next") in await woken(operator_store)


async def test_a_line_is_bounded(leases: Leases) -> None:
    await leases.has()
    await leases.takes(ANN)
    for number in range(lines.MOST):
        await leases.asks(LeaseHolder.of_user("bob", str(number)), wait=10)
    with pytest.raises(ConflictError, match="100 stand in the line") as refused:
        await leases.takes(CAT, wait=10)
    assert refused.value.code == "lease_line_full"
    assert await ahead(await leases.asks(LeaseHolder.of_user("bob", "7"), wait=10)) == 7


async def test_a_free_lease_calls_the_job_whose_turn_it_is_and_nobody_else(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    assert await stands(operator_store, "deploy", job("first"))
    assert await stands(operator_store, "deploy", job("second"))
    await woken(operator_store)
    await leases.lets_go(ANN, mine.token)
    assert await woken(operator_store) == {("Lease", "deploy"), ("Job", "first")}


async def test_a_job_that_gets_in_line_after_the_lease_was_let_go_is_called_at_once(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    # The Job has seen it held; it is let go before the Job stands in the line.
    await leases.lets_go(ANN, mine.token)
    await woken(operator_store)
    assert await stands(operator_store, "deploy", job("first"))
    assert await woken(operator_store) == {("Lease", "deploy"), ("Job", "first")}
    # The next in line is not: the Job ahead calls it in its time.
    assert await stands(operator_store, "deploy", job("second"))
    assert await woken(operator_store) == {("Lease", "deploy")}
    assert await stands(operator_store, "deploy", job("second"))
    assert await woken(operator_store) == set()


async def test_of_one_who_gets_in_line_and_one_who_lets_go_at_once_one_calls_the_job(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    await woken(operator_store)
    stood, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(connection: Connection) -> None:
        await lines.stand(connection, Ticket("team", "deploy", job("first"), 30))
        stood.set()
        await go_on.wait()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(operator_store.transact(slowly))
        await stood.wait()
        freeing = group.create_task(leases.lets_go(ANN, mine.token))
        done, _ = await asyncio.wait([freeing], timeout=0.3)
        assert not done
        go_on.set()
    assert ("Job", "first") in await woken(operator_store)


async def test_a_job_keeps_its_place_when_it_changes_lines_and_calls_who_is_left(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has("a")
    await leases.has("b")
    await leases.takes(ANN, "b")
    assert await stands(operator_store, "a", job("first"))
    assert await stands(operator_store, "a", job("second"))
    assert await stands(operator_store, "b", job("third"))
    await woken(operator_store)
    assert await stands(operator_store, "b", job("first"))
    assert (await leases.row("b")).first_waiter == "job:first/1"
    assert (await leases.row("a")).first_waiter == "job:second/1"
    assert ("Job", "second") in await woken(operator_store)


async def test_who_leaves_a_line_calls_the_next(leases: Leases, operator_store: Store) -> None:
    await leases.has()
    assert await stands(operator_store, "deploy", job("first"))
    assert await stands(operator_store, "deploy", job("second"))
    await woken(operator_store)
    await operator_store.transact(lines.leave, "team", "job:first/1", None)
    assert await woken(operator_store) == {("Lease", "deploy"), ("Job", "second")}


async def test_those_who_wait_at_the_api_are_told(leases: Leases, database: Database) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    listener = Listener(database.sidecar, [lines.CHANNEL])
    listening = asyncio.create_task(listener.run())
    with listener.subscribe(lines.CHANNEL) as told:
        async with asyncio.timeout(10):
            await told.wait()
            told.clear()
            await leases.lets_go(ANN, mine.token)
            await told.wait()
    listening.cancel()


async def test_tickets_that_have_lapsed_go_away(leases: Leases, operator_store: Store) -> None:
    await leases.has()
    await leases.takes(ANN)
    await leases.asks(BOB, wait=10)

    async def count(connection: Connection) -> Any:
        await connection.execute("UPDATE lease_tickets SET alive_until = now() - interval '5 min'")
        await lines.purge(connection)
        return await connection.fetchval("SELECT count(*) FROM lease_tickets")

    assert await operator_store.transact(count) == 0
