"""The journal of the leader against a real Postgres: nothing lost, nothing twice."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from coxswain.errors import FencedError
from coxswain.reconcile import outbox as owed_by
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.journal import BATCH, Journal
from coxswain.store import deliveries, events, leadership, mirror, outbox
from coxswain.store.events import Event, Filter
from coxswain.store.pool import Connection, Store
from tests.support import ended
from tests.support.leases import ANN, Leases
from tests.support.postgres import Database

Body = dict[str, Any]


@pytest_asyncio.fixture
async def fence(operator_store: Store) -> Fence:
    """The right to write, taken."""
    made = Fence(operator_store, "one")
    made.begin(1)
    assert await made.take() == 0
    return made


@asynccontextmanager
async def _writing(journal: Journal) -> AsyncIterator[None]:
    task = asyncio.create_task(journal.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _raw(uid: str, version: int, **more: Any) -> Body:
    metadata = {
        "uid": uid,
        "namespace": "team",
        "name": "j",
        "resourceVersion": str(version),
        "creationTimestamp": "2026-11-21T03:00:00Z",
    }
    return {"metadata": metadata, **more}


def _edges(uid: str, *kinds: str) -> Callable[[], Sequence[Event]]:
    """Events with derived ids; a deletion's time is that of the asking."""
    at = datetime(2026, 11, 21, 3, tzinfo=UTC)

    def made() -> list[Event]:
        times = {kind: datetime.now(UTC) if kind == "job.deleted" else at for kind in kinds}
        return [
            Event(
                id=events.derived_id(uid, 1, kind, times[kind]),
                type=kind,
                actor="operator",
                workspace="team",
                uid=uid,
            )
            for kind in kinds
        ]

    return made


async def _types(store: Store, uid: str) -> list[str]:
    page = await store.run(events.after, 0, Filter(uid=uid))
    return [each.event.type for each in page.events]


async def test_an_object_and_its_events_are_written_and_known_to_be(
    operator_store: Store, fence: Fence
) -> None:
    uid, journal = str(uuid4()), Journal(fence)
    journal.publish("Job", _raw(uid, 5), _edges(uid, "job.created"))
    assert not journal.holds(uid, "5")
    async with _writing(journal):
        assert await journal.drain(5)
    assert journal.holds(uid, "5")
    assert await _types(operator_store, uid) == ["job.created"]
    assert await operator_store.run(mirror.live, "Job") == {uid: "5"}


async def test_a_new_process_that_publishes_all_again_doubles_nothing(
    operator_store: Store, fence: Fence
) -> None:
    uid = str(uuid4())
    for kinds in (("job.created",), ("job.created", "job.queued")):
        journal = Journal(fence)
        journal.publish("Job", _raw(uid, 5), _edges(uid, *kinds))
        async with _writing(journal):
            assert await journal.drain(5)
    assert await _types(operator_store, uid) == ["job.created", "job.queued"]


async def test_the_newest_form_takes_the_place_of_one_that_waits(
    operator_store: Store, fence: Fence
) -> None:
    uid, journal = str(uuid4()), Journal(fence)
    journal.publish("Job", _raw(uid, 5), _edges(uid, "job.created"))
    journal.publish("Job", _raw(uid, 6), _edges(uid, "job.created", "job.queued"))
    async with _writing(journal):
        assert await journal.drain(5)
    assert journal.holds(uid, "6")
    assert await operator_store.run(mirror.live, "Job") == {uid: "6"}


async def test_what_comes_soon_after_a_batch_waits_for_more(fence: Fence) -> None:
    first, second, journal = str(uuid4()), str(uuid4()), Journal(fence, period_seconds=60)
    async with _writing(journal):
        journal.publish("Job", _raw(first, 5), _edges(first, "job.created"))
        assert await journal.drain(5)
        journal.publish("Job", _raw(second, 6), _edges(second, "job.created"))
        assert not await journal.drain(0.2)
    assert journal.holds(first, "5")
    assert not journal.holds(second, "6")


async def test_full_batches_wait_for_nothing(fence: Fence) -> None:
    journal = Journal(fence, period_seconds=60)
    async with _writing(journal):
        for version in range(2 * BATCH):
            uid = str(uuid4())
            journal.publish("Job", _raw(uid, version), _edges(uid, "job.created"))
        assert await journal.drain(10)


async def test_that_an_object_is_gone_is_recorded_once_however_often_it_is_seen(
    operator_store: Store, fence: Fence
) -> None:
    uid = str(uuid4())
    for _ in range(2):
        journal = Journal(fence)
        journal.vanished("Job", _raw(uid, 7), _edges(uid, "job.created", "job.deleted"))
        journal.publish("Job", _raw(uid, 6), _edges(uid, "job.created"))
        async with _writing(journal):
            assert await journal.drain(5)
            journal.vanished("Job", _raw(uid, 7), _edges(uid, "job.created", "job.deleted"))
            assert await journal.drain(5)
    assert await _types(operator_store, uid) == ["job.created", "job.deleted"]
    assert await operator_store.run(mirror.live, "Job") == {}


async def test_a_change_that_is_told_of_after_the_end_takes_not_its_place(
    operator_store: Store, fence: Fence
) -> None:
    uid, journal = str(uuid4()), Journal(fence)
    journal.vanished("Job", _raw(uid, 7), _edges(uid, "job.created", "job.deleted"))
    journal.publish("Job", _raw(uid, 6), _edges(uid, "job.created"))
    async with _writing(journal):
        assert await journal.drain(5)
    assert await _types(operator_store, uid) == ["job.created", "job.deleted"]
    assert await operator_store.run(mirror.live, "Job") == {}


async def test_an_object_that_the_database_refuses_holds_up_no_other(
    operator_store: Store, fence: Fence
) -> None:
    good, bad, journal = str(uuid4()), str(uuid4()), Journal(fence)
    journal.publish("Job", _raw(bad, 5, spec={"prompt": "nul \x00"}), _edges(bad, "job.created"))
    journal.publish("Job", _raw(good, 5), _edges(good, "job.created"))
    async with _writing(journal):
        assert await journal.drain(5)
    assert journal.holds(good, "5")
    assert not journal.holds(bad, "5")
    assert await _types(operator_store, bad) == []


async def test_a_former_leader_writes_nothing(operator_store: Store, fence: Fence) -> None:
    uid, journal = str(uuid4()), Journal(fence)
    await operator_store.transact(leadership.take, 2, "two")
    journal.publish("Job", _raw(uid, 5), _edges(uid, "job.created"))
    with pytest.raises(FencedError):
        async with asyncio.timeout(5):
            await journal.run()
    assert await _types(operator_store, uid) == []


async def test_what_the_mirror_held_at_the_start_is_not_written_again(
    operator_store: Store, fence: Fence
) -> None:
    uid, journal = str(uuid4()), Journal(fence)
    journal.remember(uid, "5")
    journal.publish("Job", _raw(uid, 5), _edges(uid, "job.created"))
    assert await journal.drain(0.01)
    assert await _types(operator_store, uid) == []


async def _owed(store: Store) -> list[str]:
    page = await store.run(outbox.page, outbox.Query())
    return [each.job_name for each in page.items]


async def test_the_callback_of_a_job_that_ended_is_written_with_its_last_edge_and_once(
    operator_store: Store, fence: Fence
) -> None:
    raw = ended.job()
    uid = raw["metadata"]["uid"]
    for version in ("5", "6", "6"):
        raw["metadata"]["resourceVersion"] = version
        journal = Journal(fence)
        journal.publish("Job", raw, _edges(uid, "job.created", "job.succeeded"))
        async with _writing(journal):
            assert await journal.drain(5)
    assert await _owed(operator_store) == ["read"]
    assert await _types(operator_store, uid) == ["job.created", "job.succeeded"]


async def test_a_job_that_ended_and_vanished_at_once_is_told_of_all_the_same(
    operator_store: Store, fence: Fence
) -> None:
    raw, journal = ended.job(), Journal(fence)
    uid = raw["metadata"]["uid"]
    journal.vanished("Job", raw, _edges(uid, "job.succeeded", "job.deleted"))
    async with _writing(journal):
        assert await journal.drain(5)
    assert await _owed(operator_store) == ["read"]


async def _until_somebody_waits(store: Store) -> None:
    """Until a statement of the operator waits for another transaction."""

    async def waits(connection: Connection) -> bool:
        statement = "SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(await connection.fetchval(statement))

    async with asyncio.timeout(10):
        while not await store.run(waits):  # noqa: ASYNC110 - another task gets there
            await asyncio.sleep(0.02)


async def test_who_waits_to_owe_a_callback_holds_up_no_event_of_others(
    database: Database, operator_store: Store, sidecar_store: Store, fence: Fence
) -> None:
    leases = Leases(operator_store, sidecar_store)
    lease, raw, journal = await leases.has(), ended.job(), Journal(fence)
    await leases.takes(ANN)
    # What is told of a lease whose object is gone goes into the log in the same transaction.
    journal.vanished("Lease", _raw(lease.uid, 7), _edges(lease.uid, "lease.deleted"))
    journal.publish("Job", raw, _edges(raw["metadata"]["uid"], "job.succeeded"))
    owes, goes_on = asyncio.Event(), asyncio.Event()

    async def another(connection: Connection) -> None:
        await deliveries.owe(connection, owed_by.of("Job", raw))
        owes.set()
        await goes_on.wait()

    other = asyncio.create_task(operator_store.transact(another))
    await owes.wait()
    async with _writing(journal):
        await _until_somebody_waits(operator_store)
        admin = await asyncpg.connect(database.admin)
        # Refused at once where somebody holds the head of the log.
        await admin.execute("SELECT FROM event_head FOR UPDATE NOWAIT")
        await admin.close()
        goes_on.set()
        await other
        assert await journal.drain(5)
    assert await _types(operator_store, lease.uid) == [
        *("lease.acquired", "lease.reclaimed", "lease.deleted"),
    ]


async def test_without_its_event_no_callback_is_written(
    operator_store: Store, fence: Fence
) -> None:
    raw, journal = ended.job(), Journal(fence)
    uid = raw["metadata"]["uid"]
    bad = [dataclasses.replace(each, details={"nul": "\0"}) for each in _edges(uid, "job.failed")()]
    journal.publish("Job", raw, lambda: bad)
    async with _writing(journal):
        assert await journal.drain(5)
    assert await operator_store.run(mirror.live, "Job") == {}
    assert await _owed(operator_store) == []
