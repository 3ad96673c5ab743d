"""Pages of Schedules, against a real Postgres: one look at a time, one trigger per change."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from coxswain.api.triggers import ClaimedPoll, Looked, NewTrigger, PollState
from coxswain.store import mirror, polls, triggers, wakes
from coxswain.store.pool import Store
from tests.support import rows
from tests.support.postgres import Database

URL = "https://status.example/"
SEEN = PollState(URL, "sha256:a")


async def schedule(store: Store, name: str = "watch", version: int = 1, **spec: Any) -> str:
    """A Schedule that polls, as the mirror holds it."""
    uid: str = spec.pop("uid", str(uuid4()))
    given = spec or {"poll": {"url": URL, "intervalSeconds": 60}}
    row = rows.job(name, version, uid=uid, kind="Schedule", spec=given)
    await store.transact(mirror.write, [row], [])
    return uid


async def claim(store: Store, limit: int = 10, lease: float = 60.0) -> tuple[ClaimedPoll, ...]:
    await store.run(polls.adopt)
    return await store.run(polls.claim, limit, lease)


def change(claimed: ClaimedPoll, digest: str = "sha256:b") -> NewTrigger:
    return NewTrigger(
        claimed.schedule_uid, claimed.workspace, claimed.schedule_name, "Poll", digest, digest
    )


async def test_a_schedule_that_polls_is_claimed_by_one_gateway_alone(
    operator_store: Store, gateway_store: Store
) -> None:
    uid = await schedule(operator_store)
    await schedule(operator_store, "other", interval={"seconds": 1})
    (claimed,) = await claim(gateway_store)
    assert (claimed.schedule_uid, claimed.workspace, claimed.schedule_name) == (
        uid,
        "team",
        "watch",
    )
    assert claimed.spec["poll"]["url"] == URL
    assert claimed.state == PollState()
    assert await claim(gateway_store) == ()


async def test_many_gateways_at_once_claim_each_page_once(
    operator_store: Store, gateway_store: Store
) -> None:
    uids = [await schedule(operator_store, f"s{n}") for n in range(30)]
    found = await asyncio.gather(*(claim(gateway_store, 5) for _ in range(8)))
    while more := await claim(gateway_store, 5):
        found.append(more)
    assert sorted(each.schedule_uid for part in found for each in part) == sorted(uids)


async def test_a_claim_whose_gateway_died_comes_due_again_by_the_clock_of_the_database(
    operator_store: Store, gateway_store: Store
) -> None:
    await schedule(operator_store)
    (first,) = await claim(gateway_store, lease=0.0)
    (second,) = await claim(gateway_store)
    assert second.claim != first.claim
    assert not await gateway_store.transact(polls.settle, first, Looked(SEEN, 60.0), None)


async def test_a_settled_look_comes_due_after_its_wait_and_knows_the_page(
    operator_store: Store, gateway_store: Store
) -> None:
    await schedule(operator_store)
    (claimed,) = await claim(gateway_store)
    assert await gateway_store.transact(polls.settle, claimed, Looked(SEEN, 0.0), None)
    (again,) = await claim(gateway_store)
    assert (again.state.url, again.state.digest) == (URL, "sha256:a")
    assert await gateway_store.transact(polls.settle, again, Looked(SEEN, 60.0), None)
    assert await claim(gateway_store) == ()


async def test_a_change_is_one_trigger_also_when_the_answer_to_it_was_lost(
    operator_store: Store, gateway_store: Store
) -> None:
    uid = await schedule(operator_store)
    (claimed,) = await claim(gateway_store)
    looked = Looked(PollState(URL, "sha256:b"), 60.0, fires=True)
    assert await gateway_store.transact(polls.settle, claimed, looked, change(claimed))
    assert not await gateway_store.transact(polls.settle, claimed, looked, change(claimed))
    (kept,) = (await operator_store.run(triggers.open_of, [uid]))[uid]
    assert (kept.source, kept.digest) == ("Poll", "sha256:b")


async def test_a_look_that_lost_its_claim_fires_nothing(
    operator_store: Store, gateway_store: Store
) -> None:
    uid = await schedule(operator_store)
    (late,) = await claim(gateway_store, lease=0.0)
    await claim(gateway_store)
    looked = Looked(PollState(URL, "sha256:b"), 60.0, fires=True)
    assert not await gateway_store.transact(polls.settle, late, looked, change(late))
    assert (await operator_store.run(triggers.open_of, [uid]))[uid] == ()


async def test_an_edit_makes_a_page_due_at_once_and_once(
    operator_store: Store, gateway_store: Store, database: Database
) -> None:
    uid = await schedule(operator_store)
    (claimed,) = await claim(gateway_store)
    await gateway_store.transact(polls.settle, claimed, Looked(SEEN, 86_400.0), None)
    await _execute(database, "UPDATE mirror SET generation = generation + 1")
    (again,) = await claim(gateway_store)
    assert again.schedule_uid == uid
    assert await claim(gateway_store) == ()


@pytest.mark.parametrize("how", ["deleted", "polls no more"])
async def test_a_schedule_that_is_gone_or_polls_no_more_is_left_alone_and_its_row_goes(
    operator_store: Store, gateway_store: Store, database: Database, how: str
) -> None:
    uid = await schedule(operator_store)
    await schedule(operator_store, "stays")
    await gateway_store.run(polls.adopt)
    if how == "deleted":
        await operator_store.transact(mirror.mark_deleted, [uid], [])
    else:
        await schedule(operator_store, version=2, uid=uid, cron=["@daily"])
    assert [each.schedule_name for each in await claim(gateway_store)] == ["stays"]
    await gateway_store.run(polls.forget)
    assert len(await operator_store.run(polls.of, [uid])) == 0
    connection = await asyncpg.connect(database.admin)
    assert await connection.fetchval("SELECT count(*) FROM polls") == 1
    await connection.close()


async def test_the_first_look_wakes_the_operator_and_so_does_a_failure_when_it_begins_and_when_it_ends(
    operator_store: Store, gateway_store: Store
) -> None:
    uid = await schedule(operator_store)
    failed = PollState(URL, "sha256:a", 1, "Timeout")
    woken = []
    for state in (SEEN, failed, failed, SEEN, SEEN):
        (claimed,) = await claim(gateway_store)
        await gateway_store.transact(polls.settle, claimed, Looked(state, 0.0), None)
        seen = await operator_store.run(wakes.unhandled)
        await operator_store.run(wakes.handled, seen)
        woken.append(len(seen))
        shown = (await operator_store.run(polls.of, [uid]))[uid]
        assert (shown.error, shown.failures) == (state.error, state.failures)
        assert shown.checked_at is not None
    assert woken == [1, 1, 0, 1, 0]


async def test_the_search_for_pages_reads_no_other_schedules(
    operator_store: Store, database: Database
) -> None:
    for n in range(50):
        await schedule(operator_store, f"s{n}", interval={"seconds": 1})
    await schedule(operator_store)
    connection = await asyncpg.connect(database.admin)
    await connection.execute("ANALYZE mirror")
    await connection.execute("SET enable_seqscan = off")
    plan = await connection.fetch(f"EXPLAIN SELECT uid FROM mirror WHERE {polls._POLLING}")  # noqa: S608
    await connection.close()
    assert "mirror_polls" in "\n".join(row[0] for row in plan)


async def _execute(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(database.admin)
    await connection.execute(statement)
    await connection.close()
