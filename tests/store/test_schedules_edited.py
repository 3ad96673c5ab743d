"""Edits of what a Schedule listens to never fire the past: over a real Postgres."""

from typing import Any

import pytest

from coxswain.reconcile.key import Key
from coxswain.store import events
from coxswain.store.pool import Store
from tests.support import builders
from tests.support.schedule_events import ended, happens
from tests.support.schedule_world import DiedError, ScheduleWorld

FAILED = builders.schedule().with_trigger(onEvent={"type": "job.failed"})
ANY = {"type": "job."}


async def listening(world: ScheduleWorld) -> Key:
    """A Schedule that has heard one event."""
    key = world.has(FAILED.with_spec(overlap="AllowAll"))
    await world.passes()
    world.later(minutes=1)
    await happens(world.store, "heard", world.now)
    await world.passes()
    return key


async def unseen(world: ScheduleWorld) -> None:
    """While nobody looks, two Jobs end, one of them well."""
    world.later(minutes=1)
    await happens(world.store, "bad", world.now)
    await happens(world.store, "good", world.now, "job.succeeded")


async def test_what_the_former_filter_took_is_missed_and_what_only_the_new_one_takes_is_past(
    world: ScheduleWorld,
) -> None:
    key = await listening(world)
    await unseen(world)
    world.change(key, onEvent=ANY)
    await world.passes()
    world.later(minutes=1)
    await happens(world.store, "new", world.now, "job.succeeded")
    await world.passes()
    assert await world.told(key) == ["03:01:00 Fired", "03:02:00 Missed/Edited", "03:03:00 Fired"]
    assert [row.cause["job"] for row in await world.rows(key)] == ["heard", "bad", "new"]
    assert world.raw(key)["status"]["missed"] == 1


async def test_a_past_of_more_than_one_reading_fires_nothing_either(
    world: ScheduleWorld,
) -> None:
    key = await listening(world)
    world.later(minutes=1)
    quiet = [ended(f"g{n}", world.now, "job.succeeded") for n in range(events.WINDOW)]
    await world.store.transact(events.append, quiet)
    await unseen(world)
    world.change(key, onEvent=ANY)
    await world.passes()
    assert await world.told(key) == ["03:01:00 Fired", "03:03:00 Missed/Edited"]
    assert len(world.server.made) == 1


@pytest.mark.parametrize("spec", [{"onEvent": ANY}, {"interval": {"seconds": 3600}}])
async def test_of_a_schedule_that_is_held_too_what_was_heard_has_one_outcome(
    world: ScheduleWorld, spec: dict[str, Any]
) -> None:
    key = await listening(world)
    await unseen(world)
    world.change(key, **{"onEvent": None, "suspend": True, **spec})
    await world.passes()
    assert await world.told(key) == ["03:01:00 Fired", "03:02:00 Missed/Edited"]
    status = world.raw(key)["status"]
    assert (status.get("missed"), status.get("skipped", 0)) == (1, 0)


@pytest.mark.parametrize("death", range(1, 4))
async def test_a_leader_that_dies_over_an_edit_leaves_one_outcome_of_each(
    world: ScheduleWorld, death: int
) -> None:
    key = await listening(world)
    await unseen(world)
    world.change(key, onEvent=ANY)
    world.deaths = death
    with pytest.raises(DiedError):
        await world.passes()
    await world.leads()
    await world.passes()
    assert await world.told(key) == ["03:01:00 Fired", "03:02:00 Missed/Edited"]
    assert world.raw(key)["status"]["missed"] == 1


async def test_a_clock_that_becomes_a_listener_hears_what_comes_next(
    world: ScheduleWorld, operator_store: Store
) -> None:
    key = world.has(builders.schedule().every(3600))
    await world.passes()
    await unseen(world)
    world.change(key, interval=None, onEvent=ANY)
    await world.passes()
    await world.passes()
    world.later(minutes=1)
    await happens(operator_store, "new", world.now)
    await world.passes()
    assert await world.told(key) == ["03:02:00 Fired"]
