"""What a Schedule that is gone leaves: every tick has its outcome, and the end of its Job."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from coxswain.errors import ForbiddenError
from coxswain.reconcile.journal import row_of
from coxswain.reconcile.key import Key
from coxswain.store import events, mirror, ticks
from coxswain.store.pool import Store
from tests.store.test_schedules_held import ask
from tests.support import builders
from tests.support.postgres import Database
from tests.support.schedule_world import ScheduleWorld

EVERY = builders.schedule().every(60)


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Any]:
    """Turns the database's clock: rows are made older."""
    connection = await asyncpg.connect(database.admin)
    yield connection
    await connection.close()


async def is_deleted(world: ScheduleWorld, key: Key, admin: Any, minutes: int = 2) -> None:
    """The Schedule is gone, and known to be gone for so long."""
    await world.store.transact(mirror.write, [row_of("Schedule", world.raw(key))], [])
    await world.store.transact(mirror.mark_deleted, [key.uid], [])
    await admin.execute(
        "UPDATE mirror SET deleted_at = now() - make_interval(mins => $1) WHERE uid = $2",
        minutes,
        key.uid,
    )


async def outcomes(world: ScheduleWorld, key: Key) -> list[str]:
    return [f"{row.outcome}/{row.reason or row.job_phase}" for row in await world.rows(key)]


async def test_what_was_still_open_is_missed_and_told_once(
    world: ScheduleWorld, operator_store: Store, admin: Any
) -> None:
    key = world.has(EVERY.with_spec(overlap="BufferAll"))
    await world.minutes(2)
    world.server.refusal = ForbiddenError("full")
    await world.ends(world.jobs()[0])
    await world.minutes(1)
    await is_deleted(world, key, admin)
    for _ in range(2):
        await world.records.close_left()
    assert await outcomes(world, key) == [
        "Fired/Succeeded",
        "Missed/Deleted",
        "Missed/Deleted",
    ]
    assert [row.job_name is None for row in await world.rows(key)] == [False, True, True]
    page = await operator_store.run(events.after, 0)
    assert [each.event.type for each in page.events] == ["schedule.fired"] + ["schedule.missed"] * 2


async def test_a_tick_whose_job_the_records_know_has_fired(
    world: ScheduleWorld, operator_store: Store, admin: Any
) -> None:
    key = world.has(EVERY)
    await world.minutes(1)
    (job,) = world.jobs()
    await operator_store.transact(mirror.write, [row_of("Job", job)], [])
    await admin.execute("UPDATE ticks SET outcome = NULL, settled_at = NULL, job_uid = NULL")
    await is_deleted(world, key, admin)
    await world.records.close_left()
    (row,) = await world.rows(key)
    assert (row.outcome, row.job_uid, row.job_phase) == ("Fired", job["metadata"]["uid"], None)
    await world.vanishes(job)
    await world.records.close_left()
    assert await outcomes(world, key) == ["Fired/Gone"]


async def test_a_schedule_that_lives_or_is_just_gone_keeps_its_open_ticks(
    world: ScheduleWorld, sidecar_store: Store, admin: Any
) -> None:
    key = world.has(EVERY.with_spec(overlap="BufferAll"))
    await world.minutes(2)
    await ask(sidecar_store, key, "Continue")
    await world.records.close_left()
    await is_deleted(world, key, admin, minutes=0)
    await world.records.close_left()
    assert await outcomes(world, key) == ["Fired/None", "None/Buffered"]
    (found,) = await world.store.run(ticks.standing, [key.uid])
    assert len(found.requests) == 1


async def test_nobody_has_to_carry_out_what_was_asked_of_it(
    world: ScheduleWorld, sidecar_store: Store, admin: Any
) -> None:
    key = world.has(EVERY)
    await world.passes()
    await ask(sidecar_store, key, "Trigger")
    await is_deleted(world, key, admin)
    await world.records.close_left()
    (found,) = await world.store.run(ticks.standing, [key.uid])
    assert found.requests == ()
