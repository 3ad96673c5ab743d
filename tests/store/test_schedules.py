"""Ticks of Schedules over a real Postgres: what each comes to, whatever happens to the operator."""

import zoneinfo
from collections.abc import Iterator
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from coxswain import names
from coxswain.store.pool import Store
from tests.support import builders
from tests.support.schedule_world import BEGIN, DiedError, ScheduleWorld

EVERY = builders.schedule().every(60)


async def test_a_tick_makes_one_job_that_says_which_tick_it_is_for(world: ScheduleWorld) -> None:
    key = world.has(EVERY)
    await world.minutes(1)
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
    await world.minutes(1)
    before = world.raw(key), await world.rows(key)
    await world.passes()
    await world.leads()
    await world.passes()
    assert (world.raw(key), await world.rows(key)) == before


@pytest.mark.parametrize(
    ("policy", "told", "buffered", "overrun"),
    [
        ("Skip", ["Fired", "Skipped/Overlap", "Skipped/Overlap", "Fired"], 0, 2),
        ("BufferOne", ["Fired", "Fired", "Skipped/BufferFull", "None/Buffered"], 2, 3),
        ("BufferAll", ["Fired", "Fired", "None/Buffered", "None/Buffered"], 3, 3),
        ("CancelOther", ["Fired", "Skipped/Superseded", "Fired", "None/Buffered"], 3, 3),
        ("TerminateOther", ["Fired", "Skipped/Superseded", "Fired", "None/Buffered"], 3, 3),
        ("AllowAll", ["Fired", "Fired", "Fired", "Fired"], 0, 3),
    ],
)
async def test_ticks_that_meet_a_running_job_go_by_the_policy(
    world: ScheduleWorld, policy: str, told: list[str], buffered: int, overrun: int
) -> None:
    key = world.has(EVERY.with_spec(overlap=policy))
    await world.minutes(3)
    await world.ends(world.jobs()[0])
    await world.passes()
    await world.minutes(1)
    assert [each.split(" ", 1)[1] for each in await world.told(key)] == told
    status = world.raw(key)["status"]
    assert (status["buffered"], status["overrun"]) == (buffered, overrun)


@pytest.mark.parametrize(("policy", "grace"), [("CancelOther", None), ("TerminateOther", 0)])
async def test_a_newer_tick_asks_the_running_job_to_end(
    world: ScheduleWorld, policy: str, grace: int | None
) -> None:
    world.has(EVERY.with_spec(overlap=policy))
    await world.minutes(2)
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


async def test_more_ticks_than_one_pass_takes_in_all_have_their_outcome(
    world: ScheduleWorld,
) -> None:
    key = world.has(EVERY.with_spec(catchUpWindowSeconds=86_400))
    world.later(days=1)
    await world.passes()
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Skipped/Overlap x499",
        "11:21:00 Skipped/Overlap x500",
        "19:41:00 Skipped/Overlap x440",
    ]
    status = world.raw(key)["status"]
    assert (status["fired"], status["skipped"]) == (1, 1439)


async def test_a_tick_that_waits_longer_than_its_deadline_is_missed(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="BufferOne", startingDeadlineSeconds=90))
    await world.minutes(2)
    world.later(seconds=91)
    await world.passes()
    assert (await world.told(key))[1] == "03:02:00 Missed/DeadlineExceeded"


async def test_an_edit_of_the_trigger_never_fires_the_past(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll"))
    await world.minutes(2)
    world.later(minutes=3, seconds=30)
    world.change(key, interval={"seconds": 10})
    await world.passes()
    assert await world.told(key) == [
        "03:01:00 Fired",
        "03:02:00 Fired",
        "03:03:00 Missed/Edited x3",
    ]
    assert world.raw(key)["status"]["nextFireTimes"][0] == "2026-11-21T03:05:40.000000Z"
    world.later(seconds=10)
    await world.passes()
    assert (await world.told(key))[3:] == ["03:05:40 Fired"]


async def test_an_edit_of_the_template_moves_no_tick(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll"))
    await world.minutes(1)
    template = {"spec": {**EVERY.spec["jobTemplate"]["spec"], "title": "Another"}}
    world.change(key, jobTemplate=template)
    await world.minutes(1)
    assert await world.told(key) == ["03:01:00 Fired", "03:02:00 Fired"]
    assert [job["spec"]["title"] for job in world.jobs()] == ["Read", "Another"]


async def test_an_instant_fires_once_and_then_it_is_complete(world: ScheduleWorld) -> None:
    key = world.has(builders.schedule().with_trigger(at="2026-11-21T03:02:00Z"))
    await world.minutes(4)
    await world.ends(world.jobs()[0])
    await world.minutes(1)
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


async def test_a_clock_that_steps_by_a_day_fires_nothing_twice(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(overlap="AllowAll", catchUpWindowSeconds=60))
    await world.minutes(3)
    world.later(days=1)
    await world.minutes(2)
    world.later(days=-1)
    await world.minutes(10)
    world.later(days=1)
    await world.minutes(3)
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
    await world.minutes(3)

    async def forget(connection: Any) -> None:
        await connection.execute("UPDATE schedules SET through = through - interval '2 minutes'")

    await operator_store.run(forget)
    for job in world.jobs():
        await world.vanishes(job)
    await world.leads()
    await world.minutes(1)
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
    await world.minutes(1)
    content = file.read_bytes()
    file.unlink()
    zoneinfo.ZoneInfo.clear_cache()
    await world.leads()
    await world.minutes(2)
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
    await world.minutes(3)
    world.change(key, cron=["* * * * *"])
    await world.minutes(2)
    assert await world.told(key) == ["03:05:00 Fired"]
