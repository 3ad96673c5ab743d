"""Ticks of Schedules over a real Postgres: what each comes to, whatever happens to the operator."""

import zoneinfo
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from coxswain import names
from coxswain.api.ticks import ScheduleRequest
from coxswain.reconcile.key import Key
from coxswain.store import events, schedule_requests, uuid7
from coxswain.store.events import Event
from coxswain.store.pool import Store
from tests.support import builders
from tests.support.schedule_world import BEGIN, DiedError, ScheduleWorld

EVERY = builders.schedule().every(60)


@pytest_asyncio.fixture
async def world(operator_store: Store) -> AsyncIterator[ScheduleWorld]:
    made = ScheduleWorld(operator_store, Random(1))  # noqa: S311 - chance of a test
    await made.leads()
    yield made


async def minutes(world: ScheduleWorld, count: int) -> None:
    for _ in range(count):
        world.later(minutes=1)
        await world.passes()


async def ask(store: Store, key: Key, kind: Any, **fields: Any) -> ScheduleRequest:
    made = ScheduleRequest(str(uuid4()), kind, "user:ann", "as agreed", **fields)
    await store.transact(schedule_requests.ask, key.uid, key.namespace, key.name, made)
    return made


async def test_a_tick_makes_one_job_that_says_which_tick_it_is_for(world: ScheduleWorld) -> None:
    key = world.has(EVERY)
    await minutes(world, 1)
    (job,) = world.jobs()
    metadata = job["metadata"]
    assert metadata["labels"] == {names.LABEL_SCHEDULE: "report"}
    assert metadata["annotations"] == {names.ANNOTATION_TICK: "2026-11-21T03:01:00.000000Z"}
    assert metadata["ownerReferences"][0]["uid"] == key.uid
    assert job["spec"] == EVERY.spec["jobTemplate"]["spec"]
    status = world.raw(key)["status"]
    assert (status["fired"], status["running"], status["phase"]) == (1, 1, "Active")
    assert len(status["nextFireTimes"]) == 10
    assert status["nextFireTimes"][0] == "2026-11-21T03:02:00.000000Z"
    assert status["lastOutcomes"] == [
        {
            "at": "2026-11-21T03:01:00.000000Z",
            "outcome": "Fired",
            "count": 1,
            "job": metadata["name"],
        }
    ]


async def test_a_pass_that_finds_nothing_new_changes_nothing(world: ScheduleWorld) -> None:
    key = world.has(EVERY)
    await minutes(world, 1)
    before = world.raw(key), await world.rows(key)
    await world.passes()
    await world.leads()
    await world.passes()
    assert (world.raw(key), await world.rows(key)) == before


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("Skip", ["Fired", "Skipped/Overlap", "Skipped/Overlap", "Fired"]),
        ("BufferOne", ["Fired", "Fired", "Skipped/BufferFull", "None/Buffered"]),
        ("BufferAll", ["Fired", "Fired", "None/Buffered", "None/Buffered"]),
        ("CancelOther", ["Fired", "Skipped/Superseded", "Fired", "None/Buffered"]),
        ("AllowAll", ["Fired", "Fired", "Fired", "Fired"]),
    ],
)
async def test_ticks_that_meet_a_running_job_go_by_the_policy(
    world: ScheduleWorld, policy: str, told: list[str]
) -> None:
    key = world.has(EVERY.with_spec(overlap=policy))
    await minutes(world, 3)
    await world.ends(world.jobs()[0])
    await world.passes()
    await minutes(world, 1)
    assert [each.split(" ", 1)[1] for each in await world.told(key)] == told


@pytest.mark.parametrize(("policy", "grace"), [("CancelOther", None), ("TerminateOther", 0)])
async def test_a_newer_tick_asks_the_running_job_to_end(
    world: ScheduleWorld, policy: str, grace: int | None
) -> None:
    world.has(EVERY.with_spec(overlap=policy))
    await minutes(world, 2)
    (job,) = world.jobs()
    asked = world.displaced.of(job["metadata"]["uid"])
    assert asked is not None
    assert asked.grace_seconds == grace
    await world.ends(job, "Cancelled")
    await world.passes()
    assert len(world.jobs()) == 2


async def test_what_nobody_saw_fires_late_or_is_missed_by_the_window(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(catchUpWindowSeconds=150, overlap="AllowAll"))
    world.later(hours=1)
    await world.passes()
    assert await world.told(key) == [
        "03:01:00 Missed/CatchUpWindow x57",
        "03:58:00 Fired",
        "03:59:00 Fired",
        "04:00:00 Fired",
    ]


async def test_a_week_of_seconds_is_one_row_of_missed_ticks(world: ScheduleWorld) -> None:
    key = world.has(builders.schedule().every(1).with_spec(catchUpWindowSeconds=10))
    world.later(days=7)
    await world.passes()
    assert await world.told(key) == [
        "03:00:01 Missed/CatchUpWindow x604789",
        "02:59:50 Fired",
        "02:59:51 Skipped/Overlap x10",
    ]
    status = world.raw(key)["status"]
    assert (status["missed"], status["skipped"], status["fired"]) == (604_789, 10, 1)


async def test_a_tick_that_waits_longer_than_its_deadline_is_missed(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="BufferOne", startingDeadlineSeconds=90))
    await minutes(world, 2)
    world.later(seconds=91)
    await world.passes()
    assert (await world.told(key))[1] == "03:02:00 Missed/DeadlineExceeded"


async def test_an_edit_of_the_trigger_never_fires_the_past(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll"))
    await minutes(world, 2)
    world.later(minutes=3, seconds=30)
    world.change(key, interval={"seconds": 10})
    await world.passes()
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Fired",
        "03:03:00 Missed/Edited x3",
    ]
    world.later(seconds=10)
    await world.passes()
    assert (await world.told(key))[3:] == ["03:05:40 Fired"]


async def test_an_edit_of_the_template_moves_no_tick(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll"))
    await minutes(world, 1)
    template = {"spec": {**EVERY.spec["jobTemplate"]["spec"], "title": "Another"}}
    world.change(key, jobTemplate=template)
    await minutes(world, 1)
    assert await world.told(key) == ["03:01:00 Fired", "03:02:00 Fired"]
    assert [job["spec"]["title"] for job in world.jobs()] == ["Read", "Another"]


async def test_ticks_while_it_is_suspended_are_skipped_with_the_reason(
    world: ScheduleWorld,
) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll"))
    await minutes(world, 1)
    world.change(key, suspend=True)
    await minutes(world, 30)
    status = world.raw(key)["status"]
    assert (status["phase"], status["nextFireTimes"]) == ("Suspended", [])
    world.change(key, suspend=False)
    await minutes(world, 1)
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Skipped/Suspended",
        "03:03:00 Skipped/Suspended x30",
    ]
    await minutes(world, 1)
    assert (await world.told(key))[-1] == "03:33:00 Fired"


async def test_a_pause_says_who_and_why(world: ScheduleWorld) -> None:
    key = world.has(EVERY)
    note = '{"by": "user:ann", "why": "holidays"}'
    world.annotate(key, **{names.ANNOTATION_SUSPEND: note})
    await minutes(world, 1)
    ready = world.raw(key)["status"]["conditions"][-3]
    assert (ready["reason"], ready["message"]) == ("Paused", "paused by user:ann: holidays")
    world.annotate(key, **{names.ANNOTATION_SUSPEND: None})
    await minutes(world, 2)
    assert (await world.told(key))[-1] == "03:03:00 Fired"


async def test_an_installation_that_is_switched_off_skips_and_then_goes_on(
    world: ScheduleWorld,
) -> None:
    key = world.has(EVERY)
    world.is_enabled = False
    await world.leads()
    await minutes(world, 3)
    assert world.jobs() == []
    world.is_enabled = True
    await world.leads()
    await minutes(world, 1)
    await minutes(world, 1)
    assert await world.told(key) == [
        "03:01:00 Skipped/SwitchedOff",
        "03:02:00 Skipped/SwitchedOff x3",
        "03:05:00 Fired",
    ]


async def test_a_failure_pauses_it_until_somebody_continues(
    world: ScheduleWorld, sidecar_store: Store
) -> None:
    key = world.has(EVERY.with_spec(pauseOnFailure=True))
    await minutes(world, 1)
    await world.ends(world.jobs()[0], "Failed")
    await minutes(world, 2)
    assert world.raw(key)["status"]["phase"] == "Suspended"
    await ask(sidecar_store, key, "Continue")
    await minutes(world, 2)
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Skipped/PausedOnFailure",
        "03:03:00 Skipped/PausedOnFailure x2",
        "03:05:00 Fired",
    ]


async def test_a_job_now_comes_from_who_asked_and_the_same_request_makes_one(
    world: ScheduleWorld, sidecar_store: Store
) -> None:
    key = world.has(EVERY.with_spec(suspend=True))
    asked = await ask(sidecar_store, key, "Trigger")
    again = (key.uid, key.namespace, key.name, asked)
    assert await sidecar_store.transact(schedule_requests.ask, *again) is False
    world.later(days=40)
    await world.passes()
    await world.passes()
    (job,) = world.jobs()
    assert job["metadata"]["annotations"][names.ANNOTATION_REQUESTER] == "ann"
    (row,) = [row for row in await world.rows(key) if row.source == "Trigger"]
    assert row.cause == {"by": "user:ann", "why": "as agreed"}


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


async def test_no_more_than_max_runs_make_a_job(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll", maxRuns=2))
    await minutes(world, 5)
    status = world.raw(key)["status"]
    assert (status["fired"], status["nextFireTimes"]) == (2, [])
    for job in world.jobs():
        await world.ends(job)
    await world.passes()
    assert world.raw(key)["status"]["phase"] == "Complete"
    world.change(key, maxRuns=3)
    await minutes(world, 2)
    assert [each.split(" ", 1)[1] for each in await world.told(key)] == [
        "Fired",
        "Fired",
        "Skipped/LimitReached",
        "Skipped/LimitReached x3",
        "Fired",
    ]


async def test_an_instant_fires_once_and_then_it_is_complete(world: ScheduleWorld) -> None:
    key = world.has(builders.schedule().with_trigger(at="2026-11-21T03:02:00Z"))
    await minutes(world, 4)
    await world.ends(world.jobs()[0])
    await minutes(world, 1)
    assert await world.told(key) == ["03:02:00 Fired"]
    assert world.raw(key)["status"]["phase"] == "Complete"


async def test_jitter_moves_the_job_and_not_the_tick(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(jitterSeconds=50, overlap="AllowAll"))
    world.later(minutes=1)
    await world.passes()
    assert world.jobs() == []
    assert world.wake_at is not None
    assert world.raw(key)["status"]["nextFireTimes"][0].startswith("2026-11-21T03:01:")
    world.now = max(world.wake_at, world.now)
    await world.passes()
    assert await world.told(key) == ["03:01:00 Fired"]


async def test_a_stampede_is_spread_and_no_tick_is_dropped(world: ScheduleWorld) -> None:
    world.per_second = 10
    await world.leads()
    found = [world.has(builders.schedule(f"s{n:02}").every(60)) for n in range(30)]
    await world.passes()
    world.later(minutes=1)
    made = []
    for _ in range(25):
        for key in found:
            await world.make_pass(key)
        made.append(len(world.jobs()))
        world.later(milliseconds=100)
    assert made[0] == 10
    assert made[10] == 20
    assert made[-1] == 30
    assert {tuple(await world.told(key)) for key in found} == {("03:01:00 Fired",)}


async def test_ended_jobs_beyond_the_history_go(world: ScheduleWorld) -> None:
    world.has(EVERY.with_spec(successfulJobsHistoryLimit=2, failedJobsHistoryLimit=1))
    for phase in ("Succeeded", "Failed", "Succeeded", "Cancelled", "Succeeded"):
        await minutes(world, 1)
        await world.ends(world.jobs("")[0], phase)
    await world.passes()
    left = [job["status"]["phase"] for job in world.jobs()]
    assert left == ["Succeeded", "Cancelled", "Succeeded"]


async def test_a_heartbeat_with_nothing_to_say_is_swallowed(world: ScheduleWorld) -> None:
    key = world.has(builders.schedule().with_trigger(heartbeat={"seconds": 60}))
    for answer in ("HEARTBEAT_OK\n", "The disk is full."):
        await minutes(world, 1)
        await world.ends(world.jobs("")[0], answer=answer)
    await world.passes()
    assert [row.reply for row in await world.rows(key)] == ["Swallowed", "Kept"]


async def test_a_clock_that_steps_by_a_day_fires_nothing_twice(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll", catchUpWindowSeconds=60))
    await minutes(world, 3)
    world.later(days=1)
    await minutes(world, 2)
    world.later(days=-1)
    await minutes(world, 10)
    world.later(days=1)
    await minutes(world, 3)
    rows = await world.rows(key)
    covered = [(row.at + timedelta(minutes=n)) for row in rows for n in range(row.count)]
    assert len(covered) == len(set(covered))
    assert covered == [BEGIN + timedelta(minutes=n + 1) for n in range(len(covered))]
    assert set(world.server.made.values()) == {1}


@pytest.mark.parametrize("at", range(1, 8))
async def test_a_leader_that_dies_at_any_change_makes_one_job_of_the_tick(
    world: ScheduleWorld, at: int
) -> None:
    key = world.has(EVERY)
    await world.passes()
    world.later(minutes=1)
    world.deaths = at
    try:
        await world.passes()
    except DiedError:
        await world.leads()
    world.deaths = 0
    await world.passes()
    assert await world.told(key) == ["03:01:00 Fired"]
    assert list(world.server.made.values()) == [1]


async def test_a_job_that_came_and_went_while_nobody_led_is_not_made_again(
    world: ScheduleWorld,
) -> None:
    key = world.has(EVERY)
    await world.passes()
    world.later(minutes=1)
    # The row, the Job, and then the end, before the row says that the Job was made.
    world.deaths = 4
    with pytest.raises(DiedError):
        await world.passes()
    (job,) = world.jobs()
    await world.ends(job, "Failed")
    await world.vanishes(world.jobs()[0])
    await world.leads()
    await world.passes()
    (row,) = await world.rows(key)
    assert (row.outcome, row.job_phase) == ("Fired", "Failed")
    assert list(world.server.made.values()) == [1]


async def test_records_from_before_a_restore_fire_nothing_that_the_status_shows(
    world: ScheduleWorld, operator_store: Store
) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll"))
    await minutes(world, 3)

    async def forget(connection: Any) -> None:
        await connection.execute("UPDATE schedules SET through = through - interval '2 minutes'")

    await operator_store.run(forget)
    for job in world.jobs():
        await world.vanishes(job)
    await world.leads()
    await minutes(world, 1)
    assert [job["metadata"]["annotations"] for job in world.jobs()] == [
        {names.ANNOTATION_TICK: "2026-11-21T03:04:00.000000Z"}
    ]
    assert (await world.told(key))[-1] == "03:04:00 Fired"


@pytest.fixture
def zones(tmp_path: Path) -> Iterator[Path]:
    """A folder of zones of the test's own; a file there is a zone."""
    zoneinfo.reset_tzpath([str(tmp_path)])
    yield tmp_path
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


async def test_a_zone_that_vanishes_holds_ticks_until_it_is_there_again(
    world: ScheduleWorld, zones: Path
) -> None:
    file = zones / "Base"
    file.write_bytes(resources.files("tzdata").joinpath("zoneinfo/UTC").read_bytes())
    key = world.has(builders.schedule().with_trigger(cron=["* * * * *"], timeZone="Base"))
    await minutes(world, 1)
    content = file.read_bytes()
    file.unlink()
    zoneinfo.ZoneInfo.clear_cache()
    await world.leads()
    await minutes(world, 2)
    status = world.raw(key)["status"]
    assert (status["phase"], status["fired"]) == ("Failed", 1)
    assert "there is no time zone 'Base'" in status["conditions"][0]["message"]
    file.write_bytes(content)
    await world.leads()
    await world.ends(world.jobs()[0])
    await world.passes()
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Fired",
        "03:03:00 Skipped/Overlap",
    ]


async def test_an_edit_of_what_could_not_be_followed_fires_no_past(world: ScheduleWorld) -> None:
    key = world.has(builders.schedule().with_trigger(cron=["0 0 30 2 *"]))
    await minutes(world, 3)
    world.change(key, cron=["* * * * *"])
    await minutes(world, 2)
    assert await world.told(key) == ["03:05:00 Fired"]


async def happens(store: Store, name: str, at: datetime, type_: str = "job.failed") -> None:
    uid = str(uuid4())
    event = Event(
        id=events.derived_id(uid, 0, type_, at),
        type=type_,
        actor="operator",
        workspace="team",
        kind="Job",
        name=name,
        uid=uid,
    )
    await store.transact(events.append, [event])


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
