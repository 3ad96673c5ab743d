"""The event log has an end where somebody asked for it: whole days go, and readers are told."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from coxswain.errors import CoxswainError
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.retention import Retention
from coxswain.settings import RetentionSettings
from coxswain.sidecar.follower import Follower
from coxswain.sidecar.tail import Tail
from coxswain.store import audit, events, partitions, retention, uuid7
from coxswain.store.audit import Query
from coxswain.store.events import ALL, Event, Resync
from coxswain.store.listener import Listener
from coxswain.store.pool import Connection, Store
from tests.support.measured import value
from tests.support.postgres import Database
from tests.support.rows import event

NOW = datetime.now(UTC)
LONG_AGO, LATER = NOW - timedelta(days=50), NOW - timedelta(days=40)
DROPPED = "coxswain_records_dropped_total"
WAITS = (
    "SELECT true FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


DAYS_OPEN = (
    "SELECT array_agg(name) FROM pg_locks, CAST(relation::regclass AS text) AS name"
    " WHERE pid = pg_backend_pid() AND name ~ '^events_[0-9]{8}$'"
)


async def of_days(store: Store, *days: datetime) -> list[Event]:
    """One event of each day, with a partition to lie in."""
    for day in days:
        await store.transact(partitions.make, day.date())
    batch = [event(id=uuid7.new(day)) for day in days]
    await store.run(events.append, batch)
    return batch


async def dropping(store: Store, days: int | None) -> Retention:
    fence = Fence(store, "one")
    fence.begin(1)
    await fence.take()
    return Retention(fence, RetentionSettings(events_kept_days=days))


async def positions(store: Store, after: int = 0) -> list[int]:
    page = await store.run(events.after, after)
    return [each.position for each in page.events]


async def look(reader: Follower) -> tuple[list[int], Resync | None]:
    """What comes next of one at a time, and what was told before it."""
    found = await reader.next(1)
    return [each.position for each in found], reader.resync


async def test_nothing_goes_unless_somebody_asked_for_it(
    operator_store: Store, sidecar_store: Store
) -> None:
    await of_days(sidecar_store, LONG_AGO, NOW)
    await (await dropping(operator_store, None)).once()
    assert await positions(sidecar_store) == [1, 2]


async def test_days_that_ended_so_long_ago_go_and_their_readers_are_told(
    operator_store: Store, sidecar_store: Store
) -> None:
    await of_days(sidecar_store, LONG_AGO, LATER, NOW)
    kept = await dropping(operator_store, 45)
    before = value(DROPPED, kind="event_days")
    await kept.once()
    assert await positions(sidecar_store) == [2, 3]
    assert await sidecar_store.run(events.locate, 1) is None
    assert await sidecar_store.run(events.locate, 0) == Resync(oldest=2, head=3)
    assert value(DROPPED, kind="event_days") > before
    rows = (await sidecar_store.run(audit.page, Query(action="drop_events"))).rows
    told = {(row.entry.actor.kind, row.entry.object.kind, row.entry.object.name) for row in rows}
    assert ("operator", "EventDay", LONG_AGO.date().isoformat()) in told
    assert all(name < (NOW - timedelta(days=45)).date().isoformat() for _, _, name in told)


async def test_nothing_of_the_last_week_goes_whatever_is_asked_for(
    operator_store: Store, sidecar_store: Store
) -> None:
    await of_days(sidecar_store, NOW - timedelta(days=7), NOW)
    while await operator_store.transact(retention.drop_event_days, -100):
        pass
    assert await positions(sidecar_store) == [1, 2]


async def test_an_event_of_a_day_that_was_dropped_is_not_written_again(
    operator_store: Store, sidecar_store: Store
) -> None:
    old, _, _ = await of_days(sidecar_store, LONG_AGO, LATER, NOW)
    await (await dropping(operator_store, 45)).once()
    late = event(id=uuid7.new(LATER + timedelta(seconds=1)))
    appended = await operator_store.run(events.append, [old, late, event()])
    assert (appended.accepted, appended.last_position) == (2, 5)
    assert await positions(sidecar_store) == [2, 3, 4, 5]


async def test_the_log_goes_on_where_all_of_it_was_dropped(
    operator_store: Store, sidecar_store: Store
) -> None:
    await of_days(sidecar_store, LONG_AGO, LATER)
    await (await dropping(operator_store, 7)).once()
    assert await sidecar_store.run(events.locate, 1) == Resync(oldest=3, head=2)
    assert await sidecar_store.run(events.locate, 2) is None
    await operator_store.run(events.append, [event()])
    assert await positions(sidecar_store, 2) == [3]


async def test_days_wait_for_who_reads_the_log_and_hold_nobody_up(
    database: Database, operator_store: Store, sidecar_store: Store
) -> None:
    await of_days(sidecar_store, LONG_AGO, NOW)
    kept = await dropping(operator_store, 45)
    admin = await asyncpg.connect(database.admin)

    async def read_and_append(connection: Connection) -> None:
        await events.after(connection, 0)
        at_work = asyncio.create_task(kept.once())
        async with asyncio.timeout(4):
            while not await admin.fetchval(WAITS):  # noqa: ASYNC110 - another session does it
                await asyncio.sleep(0.01)
        # It waits for this one, which waits for it from here on: the other one gives up.
        await events.append(connection, [event()])
        await at_work

    try:
        await sidecar_store.transact(read_and_append)
    finally:
        await admin.close()
    assert await positions(sidecar_store) == [1, 2, 3]
    await kept.once()
    assert await positions(sidecar_store) == [2, 3]


async def test_the_platform_drops_days_by_the_leader_alone(
    sidecar_store: Store, gateway_store: Store
) -> None:
    for store in (sidecar_store, gateway_store):
        with pytest.raises(CoxswainError) as refused:
            await store.transact(retention.drop_event_days, 7)
        assert refused.value.code == "database_refused"


async def test_a_reader_on_its_way_is_told_of_days_that_went_before_it_came(
    operator_store: Store, sidecar_store: Store
) -> None:
    await of_days(sidecar_store, LONG_AGO, LONG_AGO, LONG_AGO, LATER, NOW)
    # Nothing is in its memory, as for every reader who is far behind.
    tail = Tail(sidecar_store, Listener(sidecar_store.dsn, [events.CHANNEL]))
    slow = Follower(sidecar_store, tail, ALL, 0)
    assert await look(slow) == ([1], None)
    await (await dropping(operator_store, 45)).once()
    assert await look(slow) == ([4], Resync(oldest=4, head=5))
    assert await look(slow) == ([5], None)


async def test_a_reader_who_was_past_them_is_told_nothing(
    operator_store: Store, sidecar_store: Store
) -> None:
    await of_days(sidecar_store, LONG_AGO, LATER, NOW)
    tail = Tail(sidecar_store, Listener(sidecar_store.dsn, [events.CHANNEL]))
    reader = Follower(sidecar_store, tail, ALL, 0)
    assert await look(reader) == ([1], None)
    await (await dropping(operator_store, 45)).once()
    assert await look(reader) == ([2], None)


async def _days_opened(connection: Connection, batch: list[Event]) -> set[str]:
    """The partitions that a write of these, the last of a transaction, has come near."""
    await events.append(connection, batch)
    return set(await connection.fetchval(DAYS_OPEN))


async def test_a_write_looks_at_no_day_but_those_of_its_events_however_many_are_kept(
    sidecar_store: Store,
) -> None:
    await of_days(sidecar_store, LONG_AGO, LATER, NOW)
    for days in ([NOW], [LATER, NOW]):
        batch = [event(id=uuid7.new(day)) for day in days]
        wanted = {f"events_{day:%Y%m%d}" for day in days}
        assert await sidecar_store.transact(_days_opened, batch) == wanted
