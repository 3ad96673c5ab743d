"""Ticks of Schedules that have been kept for long enough go, and all of a Schedule that is gone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from coxswain.api.ticks import ScheduleRequest, ScheduleState, Tick, TickChange
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.retention import Retention
from coxswain.settings import RetentionSettings
from coxswain.store import left_ticks, mirror, retention, schedule_requests, ticks
from coxswain.store.pool import Store
from tests.support import rows
from tests.support.postgres import Database

KEPT = RetentionSettings(deliveries_kept_days=30, records_kept_days=365)


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Any]:
    """Turns the database's clock: rows are made older."""
    connection = await asyncpg.connect(database.admin)
    yield connection
    await connection.close()


@pytest.fixture
async def dropping(operator_store: Store) -> Retention:
    fence = Fence(operator_store, "one")
    fence.begin(1)
    await fence.take()
    return Retention(fence, KEPT)


async def count(admin: Any, table: str, uid: str, column: str = "schedule_uid") -> int:
    statement = f"SELECT count(*) FROM {table} WHERE {column} = $1"  # noqa: S608 - a test's own
    found: int = await admin.fetchval(statement, uid)
    return found


async def has_ticks(operator: Store, sidecar: Store, name: str) -> str:
    """A Schedule with a tick of each sort, and a request that was handled."""
    row = rows.job(name, kind="Schedule")
    await operator.transact(mirror.write, [row], [])
    asked = ScheduleRequest(str(uuid4()), "Continue", "user:ann")
    await sidecar.transact(schedule_requests.ask, row.uid, "team", name, asked)
    at = datetime.now(UTC)
    waits = [Tick(id_, "Time", at, at, at) for id_ in ("waits", "skipped", "runs", "ran")]
    settled = [
        waits[1].settled("Skipped", "Overlap", at),
        replace(waits[2], job_name="j").settled("Fired", "", at),
        replace(waits[3], job_name="i", job_phase="Failed").settled("Fired", "", at),
    ]
    change = TickChange(
        row.uid, "team", name, ScheduleState("{}", at), (waits[0], *settled), (asked.id,)
    )
    await operator.transact(ticks.keep, [change])
    return row.uid


async def ages(admin: Any, uid: str, days: int) -> None:
    """All of it happened so long ago."""
    for table, column in (
        ("ticks", "settled_at"),
        ("schedule_requests", "handled_at"),
        ("schedules", "through"),
    ):
        await admin.execute(
            f"UPDATE {table} SET {column} = {column} - make_interval(days => $1)"  # noqa: S608
            " WHERE schedule_uid = $2",
            days,
            uid,
        )


async def still_there(operator: Store, uid: str) -> list[str]:
    found = await operator.run(ticks.page, uid, None, limit=10)
    return sorted(each.id for each in found)


async def test_ticks_go_by_their_age_and_open_ones_and_their_schedule_stay(
    operator_store: Store, sidecar_store: Store, admin: Any, dropping: Retention
) -> None:
    old, young = [await has_ticks(operator_store, sidecar_store, each) for each in ("old", "young")]
    await ages(admin, old, 366)
    await ages(admin, young, 364)
    await dropping.once()
    assert await still_there(operator_store, old) == ["runs", "waits"]
    assert await still_there(operator_store, young) == ["ran", "runs", "skipped", "waits"]
    counted = [await count(admin, "schedule_requests", uid) for uid in (old, young)]
    assert counted == [0, 1]
    assert await count(admin, "schedules", old) == 1


@pytest.mark.parametrize("days", [364, 366])
async def test_all_of_a_schedule_goes_once_it_is_gone_for_so_long(
    operator_store: Store, sidecar_store: Store, admin: Any, dropping: Retention, days: int
) -> None:
    uid = await has_ticks(operator_store, sidecar_store, "gone")
    await operator_store.transact(mirror.mark_deleted, [uid], [])
    await admin.execute("UPDATE mirror SET deleted_at = now() - make_interval(days => $1)", days)
    await operator_store.transact(left_ticks.settle)
    await operator_store.transact(left_ticks.close)
    await dropping.once()
    there = 1 if days == 364 else 0
    assert len(await still_there(operator_store, uid)) == 4 * there
    assert await count(admin, "mirror", uid, "uid") == there
    await ages(admin, uid, 366)
    await dropping.once()
    assert await count(admin, "schedules", uid) == there
    assert await count(admin, "schedule_requests", uid) == 0


async def test_a_schedule_that_nobody_mirrored_yet_keeps_its_row(
    operator_store: Store, sidecar_store: Store, admin: Any, dropping: Retention
) -> None:
    uid = await has_ticks(operator_store, sidecar_store, "new")
    await admin.execute("DELETE FROM mirror")
    await admin.execute("DELETE FROM ticks")
    await admin.execute("DELETE FROM schedule_requests")
    await dropping.once()
    assert await count(admin, "schedules", uid) == 1


async def test_no_tick_of_the_last_day_goes_whatever_is_asked_for(
    operator_store: Store, sidecar_store: Store
) -> None:
    uid = await has_ticks(operator_store, sidecar_store, "fresh")
    assert await operator_store.run(retention.drop_ticks, -1) == 0
    assert len(await still_there(operator_store, uid)) == 4
