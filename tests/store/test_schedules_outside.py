"""Ticks of what came in from outside, over a real Postgres: each has one outcome, whoever dies when."""

from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import pytest
import pytest_asyncio

from coxswain import names
from coxswain.api.triggers import Looked, NewTrigger, PollState, Source
from coxswain.reconcile.journal import row_of
from coxswain.reconcile.key import Key
from coxswain.store import mirror, polls, triggers
from coxswain.store.pool import Store
from tests.support import builders, rows
from tests.support.postgres import Database
from tests.support.schedule_world import DiedError, ScheduleWorld

HOOK = {"scheme": "GitHub", "secretRef": {"name": "hooks"}}
URL = "https://status.example/"
PAGE = {"url": URL, "intervalSeconds": 60}
HOOKED = builders.schedule().with_trigger(webhook=HOOK)
WATCHING = builders.schedule().with_trigger(poll=PAGE)


@pytest_asyncio.fixture
async def world(operator_store: Store) -> AsyncIterator[ScheduleWorld]:
    made = ScheduleWorld(operator_store, Random(1))  # noqa: S311 - chance of a test
    await made.leads()
    yield made


async def comes(store: Store, key: Key, name: str = "d-1", source: Source = "Webhook") -> None:
    """A gateway has taken something in."""
    new = NewTrigger(key.uid, key.namespace, key.name, source, name, f"sha256:{name}", "{}")
    assert await store.transact(triggers.record, new, [])


async def outcomes(world: ScheduleWorld, key: Key) -> list[str]:
    return [f"{row.outcome}/{row.reason}".rstrip("/") for row in await world.rows(key)]


async def test_a_delivery_makes_one_job_and_its_tick_says_which(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    key = world.has(HOOKED)
    await world.passes()
    assert world.jobs() == []
    assert world.raw(key)["status"]["phase"] == "Active"
    await comes(gateway_store, key)
    await world.passes()
    await world.leads()
    await world.passes()
    (job,) = world.jobs()
    (row,) = await world.rows(key)
    assert (row.source, row.outcome, row.job_name) == ("Webhook", "Fired", job["metadata"]["name"])
    assert row.cause == {"delivery": "d-1", "digest": "sha256:d-1"}
    assert names.ANNOTATION_TICK in job["metadata"]["annotations"]
    assert (await world.store.run(triggers.open_of, [key.uid]))[key.uid] == ()


@pytest.mark.parametrize("death", range(1, 9))
async def test_a_leader_that_dies_at_any_change_leaves_one_job_of_a_delivery(
    world: ScheduleWorld, gateway_store: Store, death: int
) -> None:
    key = world.has(HOOKED)
    await world.passes()
    await comes(gateway_store, key)
    world.deaths = death
    died = False
    try:
        await world.passes()
    except DiedError:
        died = True
        await world.leads()
    world.deaths = 0
    await world.passes()
    assert died == (death <= 7)
    assert list(world.server.made.values()) == [1]
    assert await outcomes(world, key) == ["Fired"]
    assert world.raw(key)["status"]["fired"] == 1


async def test_while_a_job_runs_the_overlap_policy_decides_as_ever(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    key = world.has(HOOKED.with_spec(overlap="BufferOne"))
    for name in ("a", "b", "c"):
        await comes(gateway_store, key, name)
    await world.passes()
    assert sorted(await outcomes(world, key)) == ["Fired", "None/Buffered", "Skipped/BufferFull"]
    await world.ends(world.jobs()[0])
    await world.passes()
    assert len(world.jobs()) == 2


async def test_what_comes_while_a_schedule_is_held_is_skipped_at_once_and_later_deliveries_fire(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    key = world.has(HOOKED)
    await world.passes()
    world.change(key, suspend=True)
    await world.passes()
    for name in ("a", "b"):
        await comes(gateway_store, key, name)
        await world.passes()
    assert await outcomes(world, key) == ["Skipped/Suspended"] * 2
    assert (await world.store.run(triggers.open_of, [key.uid]))[key.uid] == ()
    world.change(key, suspend=False)
    await world.passes()
    await comes(gateway_store, key, "c")
    await world.passes()
    assert sorted(await outcomes(world, key)) == ["Fired", "Skipped/Suspended", "Skipped/Suspended"]


async def test_what_nobody_saw_before_the_end_of_a_hold_goes_by_the_hold(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    key = world.has(HOOKED)
    world.change(key, suspend=True)
    await world.passes()
    await comes(gateway_store, key)
    world.change(key, suspend=False)
    await world.passes()
    assert await outcomes(world, key) == ["Skipped/Suspended"]


async def test_a_delivery_for_a_trigger_that_is_no_more_is_missed(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    key = world.has(HOOKED)
    await world.passes()
    await comes(gateway_store, key)
    world.change(key, webhook=None, interval={"seconds": 86_400})
    await world.passes()
    assert await outcomes(world, key) == ["Missed/Edited"]
    assert world.jobs() == []


async def test_an_edit_of_the_hook_loses_nothing_that_was_taken_in(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    key = world.has(HOOKED)
    await world.passes()
    await comes(gateway_store, key)
    world.change(key, webhook={**HOOK, "replayWindowSeconds": 600})
    await world.passes()
    assert await outcomes(world, key) == ["Fired"]


@pytest.mark.parametrize(
    "bounds", [{"startAt": "2090-01-01T00:00:00Z"}, {"endAt": "2001-01-01T00:00:00Z"}]
)
async def test_what_comes_outside_of_start_and_end_is_skipped(
    world: ScheduleWorld, gateway_store: Store, bounds: dict[str, str]
) -> None:
    key = world.has(HOOKED.with_spec(**bounds))
    await comes(gateway_store, key)
    await world.passes()
    assert await outcomes(world, key) == ["Skipped/OutOfRange"]


async def test_deliveries_use_up_the_runs_of_a_schedule(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    key = world.has(HOOKED.with_spec(maxRuns=1, overlap="AllowAll"))
    for name in ("a", "b"):
        await comes(gateway_store, key, name)
    await world.passes()
    assert sorted(await outcomes(world, key)) == ["Fired", "Skipped/LimitReached"]
    assert len(world.jobs()) == 1


async def test_more_than_a_page_of_deliveries_all_have_their_outcome(
    world: ScheduleWorld, database: Database
) -> None:
    key = world.has(HOOKED)
    await world.passes()
    await rows.triggers(database.admin, key.uid, 1100)
    await world.passes()
    found = await outcomes(world, key)
    assert len(found) == 1100
    assert found.count("Fired") == 1
    assert found.count("Skipped/Overlap") == 1099
    assert (await world.store.run(triggers.open_of, [key.uid]))[key.uid] == ()


async def test_a_database_whose_clock_is_ahead_keeps_no_delivery_waiting(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    # The world of these tests is days behind the database.
    key = world.has(HOOKED)
    await comes(gateway_store, key)
    await world.passes()
    (row,) = await world.rows(key)
    assert row.at > world.now
    assert row.due_at <= world.now
    assert row.outcome == "Fired"


async def test_a_body_schema_that_is_none_is_said_with_its_field(world: ScheduleWorld) -> None:
    key = world.has(HOOKED.with_trigger(webhook={**HOOK, "bodySchema": '{"type": "nothing"}'}))
    await world.passes()
    status = world.raw(key)["status"]
    accepted = next(each for each in status["conditions"] if each["type"] == "Accepted")
    assert status["phase"] == "Failed"
    assert accepted["message"].startswith("spec.webhook.bodySchema")


async def page_reached(world: ScheduleWorld, key: Key) -> tuple[str, str, str]:
    """The condition, and the reason of Ready."""
    await world.passes()
    found = {each["type"]: each for each in world.raw(key)["status"]["conditions"]}
    page = found["PageReached"]
    return page["status"], page["reason"], found["Ready"]["reason"]


async def test_how_the_last_look_at_a_page_went_is_a_condition(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    world.cache.put("Agent", builders.agent().raw)
    key = world.has(WATCHING)
    assert await page_reached(world, key) == ("Unknown", "NotLooked", "Ready")
    await world.store.transact(mirror.write, [row_of("Schedule", world.raw(key))], [])
    for state, shown in (
        (PollState(URL, "sha256:a"), ("True", "Reached", "Ready")),
        (PollState("", "", 1, "Timeout"), ("False", "Timeout", "Timeout")),
    ):
        await gateway_store.run(polls.adopt)
        (claimed,) = await gateway_store.run(polls.claim, 1, 60.0)
        await gateway_store.transact(polls.settle, claimed, Looked(state, 0.0), None)
        assert await page_reached(world, key) == shown


async def test_a_changed_page_fires(world: ScheduleWorld, gateway_store: Store) -> None:
    key = world.has(WATCHING)
    await comes(gateway_store, key, source="Poll")
    await world.passes()
    (row,) = await world.rows(key)
    assert (row.source, row.outcome) == ("Poll", "Fired")


async def test_a_walk_of_deliveries_and_deaths_makes_one_job_of_each(
    world: ScheduleWorld, gateway_store: Store
) -> None:
    random = Random(20261129)  # noqa: S311 - chance of a test
    key, count, died = world.has(HOOKED.with_spec(overlap="AllowAll")), 0, 0
    while count < 60 or died < 20:
        if random.random() < 0.5:
            count += 1
            await comes(gateway_store, key, f"d{count}-{uuid4()}")
        world.deaths = random.randint(1, 12)
        try:
            await world.passes()
        except DiedError:
            died += 1
            await world.leads()
    world.deaths = 0
    await world.passes()
    assert await outcomes(world, key) == ["Fired"] * count
    assert sorted(world.server.made.values()) == [1] * count
    assert world.raw(key)["status"]["fired"] == count
