"""Schedules that are held, asked by people, told by events, bounded: over a real Postgres."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from coxswain import names
from coxswain.api.ticks import ScheduleRequest
from coxswain.reconcile.key import Key
from coxswain.rules import flags
from coxswain.store import events, schedule_requests, uuid7
from coxswain.store import flags as store_flags
from coxswain.store.events import Event
from coxswain.store.pool import Store
from tests.support import builders
from tests.support.schedule_events import happens
from tests.support.schedule_world import BEGIN, ScheduleWorld

EVERY = builders.schedule().every(60)


async def ask(
    store: Store, key: Key, kind: Any, by: str = "user:ann", **fields: Any
) -> ScheduleRequest:
    made = ScheduleRequest(str(uuid4()), kind, by, "as agreed", **fields)
    await store.transact(schedule_requests.ask, key.uid, key.namespace, key.name, made)
    return made


async def test_ticks_while_it_is_suspended_are_skipped_with_the_reason(
    world: ScheduleWorld,
) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll"))
    await world.minutes(1)
    world.change(key, suspend=True)
    await world.minutes(30)
    status = world.raw(key)["status"]
    assert (status["phase"], status["nextFireTimes"]) == ("Suspended", [])
    world.change(key, suspend=False)
    await world.minutes(1)
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Skipped/Suspended",
        "03:03:00 Skipped/Suspended x30",
    ]
    await world.minutes(1)
    assert (await world.told(key))[-1] == "03:33:00 Fired"


async def test_a_pause_says_who_and_why(world: ScheduleWorld) -> None:
    key = world.has(EVERY)
    note = '{"by": "user:ann", "why": "holidays"}'
    world.annotate(key, **{names.ANNOTATION_SUSPEND: note})
    await world.minutes(1)
    ready = world.raw(key)["status"]["conditions"][-3]
    assert (ready["reason"], ready["message"]) == ("Paused", "paused by user:ann: holidays")
    assert world.raw(key)["status"]["nextFireTimes"] == []
    world.annotate(key, **{names.ANNOTATION_SUSPEND: None})
    await world.minutes(2)
    assert (await world.told(key))[-1] == "03:03:00 Fired"


async def test_an_installation_that_is_switched_off_skips_and_then_goes_on(
    world: ScheduleWorld,
) -> None:
    key = world.has(EVERY)
    world.schedules_enabled = False
    await world.leads()
    await world.minutes(3)
    assert world.jobs() == []
    world.schedules_enabled = True
    await world.leads()
    await world.minutes(1)
    await world.minutes(1)
    assert await world.told(key) == [
        "03:01:00 Skipped/SwitchedOff",
        "03:02:00 Skipped/SwitchedOff x3",
        "03:05:00 Fired",
    ]


async def test_a_flag_switches_all_schedules_off_and_on_while_the_leader_goes_on(
    world: ScheduleWorld, sidecar_store: Store
) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll"))
    await world.minutes(1)
    for on in (False, True):
        wanted = {flags.SCHEDULES.name: on}
        await sidecar_store.transact(store_flags.change, wanted, "user:ann", lambda _version: True)
        # A change wakes the leader: test_flags.
        await world.passes()
        await world.minutes(1)
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Skipped/SwitchedOff",
        "03:03:00 Fired",
    ]


async def test_a_failure_pauses_it_until_somebody_continues(
    world: ScheduleWorld, sidecar_store: Store
) -> None:
    key = world.has(EVERY.with_spec(pauseOnFailure=True))
    await world.minutes(1)
    await world.ends(world.jobs()[0], "Failed")
    await world.minutes(2)
    assert world.raw(key)["status"]["phase"] == "Suspended"
    await ask(sidecar_store, key, "Continue")
    await world.minutes(2)
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Skipped/PausedOnFailure",
        "03:03:00 Skipped/PausedOnFailure x2",
        "03:05:00 Fired",
    ]


@pytest.mark.parametrize(("by", "requester"), [("user:ann", "ann"), ("key:ci", "key:ci")])
async def test_a_job_now_comes_from_who_asked_and_the_same_request_makes_one(
    world: ScheduleWorld, sidecar_store: Store, by: str, requester: str
) -> None:
    key = world.has(EVERY.with_spec(suspend=True))
    asked = await ask(sidecar_store, key, "Trigger", by)
    again = (key.uid, key.namespace, key.name, asked)
    assert await sidecar_store.transact(schedule_requests.ask, *again) is False
    world.later(days=40)
    await world.passes()
    await world.passes()
    (job,) = world.jobs()
    assert job["metadata"]["annotations"][names.ANNOTATION_REQUESTER] == requester
    (row,) = [row for row in await world.rows(key) if row.source == "Trigger"]
    assert row.cause == {"by": by, "why": "as agreed"}


async def test_the_job_of_a_tick_is_of_who_made_the_schedule_if_the_api_knows(
    world: ScheduleWorld,
) -> None:
    made = {names.ANNOTATION_REQUESTER: "ada"}
    world.has(builders.schedule("hers").every(60).with_metadata(annotations=made))
    world.has(builders.schedule("nobodys").every(60))
    await world.minutes(1)
    found = {
        job["metadata"]["labels"][names.LABEL_SCHEDULE]: job["metadata"]["annotations"]
        for job in world.jobs()
    }
    assert found["hers"][names.ANNOTATION_REQUESTER] == "ada"
    assert names.ANNOTATION_REQUESTER not in found["nobodys"]


async def test_a_job_that_another_asks_for_by_hand_is_theirs(
    world: ScheduleWorld, sidecar_store: Store
) -> None:
    made = {names.ANNOTATION_REQUESTER: "ada"}
    key = world.has(EVERY.with_spec(suspend=True).with_metadata(annotations=made))
    await ask(sidecar_store, key, "Trigger", "user:bob")
    world.later(days=40)
    await world.passes()
    (job,) = world.jobs()
    assert job["metadata"]["annotations"][names.ANNOTATION_REQUESTER] == "bob"


async def test_a_backfill_makes_the_ticks_of_a_past_range_one_after_the_other(
    world: ScheduleWorld, sidecar_store: Store
) -> None:
    world.now = BEGIN
    key = world.has(EVERY.with_spec(suspend=True))
    await world.passes()
    since = BEGIN - timedelta(minutes=2)
    await ask(sidecar_store, key, "Backfill", since=since, until=BEGIN)
    world.later(days=40)
    for n in range(3):
        await world.passes()
        assert len(world.jobs()) == n + 1
        await world.ends(world.jobs()[-1])
        world.change(key, successfulJobsHistoryLimit=10)
    await world.passes()
    rows = [row for row in await world.rows(key) if row.source == "Backfill"]
    assert [f"{row.at:%H:%M} {row.outcome}" for row in rows] == [
        "02:58 Fired",
        "02:59 Fired",
        "03:00 Fired",
    ]


async def test_a_long_backfill_is_held_to_no_buffer_limit(
    world: ScheduleWorld, sidecar_store: Store
) -> None:
    key = world.has(EVERY.with_spec(suspend=True))
    await world.passes()
    since = BEGIN - timedelta(minutes=149)
    await ask(sidecar_store, key, "Backfill", since=since, until=BEGIN)
    world.later(days=40)
    await world.passes()
    rows = [row for row in await world.rows(key) if row.source == "Backfill"]
    assert Counter(row.outcome for row in rows) == {"Fired": 1, None: 149}


async def test_backfills_wait_until_there_is_room_for_all_their_ticks(
    world: ScheduleWorld, sidecar_store: Store
) -> None:
    key = world.has(EVERY.with_spec(suspend=True))
    await world.passes()
    for count, overlap in ((999, "AllowAll"), (2, None), (1, None)):
        since = BEGIN - timedelta(minutes=count - 1)
        await ask(sidecar_store, key, "Backfill", since=since, until=BEGIN, overlap=overlap)
    world.later(days=40)
    await world.passes()
    assert len(world.jobs()) == 999
    for job in world.jobs()[:2]:
        await world.ends(job)
    await world.passes()
    rows = [row for row in await world.rows(key) if row.source == "Backfill"]
    assert len(rows) == 999 + 2 + 1


async def test_no_more_than_max_runs_make_a_job(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll", maxRuns=2))
    await world.minutes(5)
    status = world.raw(key)["status"]
    assert (status["fired"], status["nextFireTimes"]) == (2, [])
    for job in world.jobs():
        await world.ends(job)
    await world.passes()
    assert world.raw(key)["status"]["phase"] == "Complete"
    world.change(key, maxRuns=3)
    await world.minutes(2)
    assert [each.split(" ", 1)[1] for each in await world.told(key)] == [
        "Fired",
        "Fired",
        "Skipped/LimitReached",
        "Skipped/LimitReached x3",
        "Fired",
    ]


async def test_a_stampede_is_spread_and_no_tick_is_dropped(world: ScheduleWorld) -> None:
    world.per_second = 200
    await world.leads()
    found = [world.has(builders.schedule(f"s{n:03}").every(60)) for n in range(1000)]
    await world.passes()
    world.later(minutes=1)
    made = []
    for _ in range(5):
        for key in found:
            await world.make_pass(key)
        made.append(len(world.jobs()))
        world.later(seconds=1)
    assert made == [200, 400, 600, 800, 1000]
    assert {tuple(await world.told(key)) for key in found} == {("03:01:00 Fired",)}


async def test_ended_jobs_beyond_the_history_go(world: ScheduleWorld) -> None:
    world.has(EVERY.with_spec(successfulJobsHistoryLimit=2, failedJobsHistoryLimit=1))
    for phase in ("Succeeded", "Failed", "Succeeded", "Cancelled", "Succeeded"):
        await world.minutes(1)
        await world.ends(world.jobs("")[0], phase)
    await world.passes()
    left = [job["status"]["phase"] for job in world.jobs()]
    assert left == ["Succeeded", "Cancelled", "Succeeded"]


async def test_a_heartbeat_with_nothing_to_say_is_swallowed(world: ScheduleWorld) -> None:
    key = world.has(builders.schedule().with_trigger(heartbeat={"seconds": 60}))
    for answer in ("HEARTBEAT_OK\n", "The disk is full."):
        await world.minutes(1)
        await world.ends(world.jobs("")[0], answer=answer)
    await world.passes()
    assert [row.reply for row in await world.rows(key)] == ["Swallowed", "Kept"]


async def test_an_event_before_the_start_or_after_the_end_is_skipped(
    world: ScheduleWorld, operator_store: Store
) -> None:
    span = {"startAt": "2026-11-21T03:02:00Z", "endAt": "2026-11-21T03:03:00Z"}
    listens = builders.schedule().with_trigger(onEvent={"type": "job.failed"})
    key = world.has(listens.with_spec(**span, overlap="AllowAll"))
    await world.passes()
    for minute in range(4):
        world.later(minutes=1)
        await happens(operator_store, f"j{minute}", world.now)
        await world.passes()
    assert await world.told(key) == [
        "03:01:00 Skipped/OutOfRange",
        "03:02:00 Fired",
        "03:03:00 Fired",
        "03:04:00 Skipped/OutOfRange",
    ]


async def test_an_event_counts_once_and_cools_down(
    world: ScheduleWorld, operator_store: Store
) -> None:
    listens = {"type": "job.failed", "cooldownSeconds": 90}
    key = world.has(builders.schedule().with_trigger(onEvent=listens).with_spec(overlap="AllowAll"))
    await happens(operator_store, "before", world.now)
    await world.passes()
    for minute in range(4):
        world.later(minutes=1)
        await happens(operator_store, f"j{minute}", world.now)
        await happens(operator_store, "other", world.now, "job.succeeded")
        await world.passes()
        await world.leads()
        await world.passes()
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Skipped/Cooldown",
        "03:03:00 Fired",
        "03:04:00 Skipped/Cooldown",
    ]
    assert set(world.server.made.values()) == {1}
    assert [row.cause["job"] for row in await world.rows(key)] == ["j0", "j1", "j2", "j3"]


async def test_events_of_another_workspace_are_not_heard(
    world: ScheduleWorld, operator_store: Store
) -> None:
    key = world.has(builders.schedule().with_trigger(onEvent={"type": "job."}))
    await world.passes()
    event = Event(id=uuid7.new(world.now), type="job.failed", actor="operator", workspace="other")
    await operator_store.transact(events.append, [event])
    world.later(minutes=1)
    await world.passes()
    assert await world.rows(key) == []
