"""Jobs of ticks that the API server refuses: each tick has its outcome, and none waits for another."""

from typing import Any
from uuid import uuid4

import pytest

from coxswain.errors import (
    CoxswainError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
    UserError,
)
from coxswain.reconcile.key import Key
from coxswain.store import events
from coxswain.store.pool import Store
from tests.support import builders
from tests.support.schedule_world import DiedError, ScheduleWorld

EVERY = builders.schedule().every(60)
NEVER = UserError("POST jobs: 422 the title is not to our liking")
FULL = ForbiddenError("POST jobs: 403 exceeded quota", code="quota_exceeded")


def ready(world: ScheduleWorld, key: Key) -> dict[str, Any]:
    conditions = world.raw(key)["status"]["conditions"]
    found: dict[str, Any] = next(each for each in conditions if each["type"] == "Ready")
    return found


@pytest.mark.parametrize("policy", ["Skip", "AllowAll", "BufferAll", "CancelOther"])
async def test_a_job_that_is_refused_for_good_is_missed_and_the_next_tick_has_its_own_try(
    world: ScheduleWorld, policy: str
) -> None:
    key = world.has(EVERY.with_spec(overlap=policy))
    world.server.refusal = NEVER
    await world.minutes(3)
    assert (ready(world, key)["status"], ready(world, key)["reason"]) == ("False", "JobRefused")
    assert "the title is not to our liking" in ready(world, key)["message"]
    world.server.refusal = None
    await world.minutes(1)
    assert await world.told(key) == [
        "03:01:00 Missed/Refused",
        "03:02:00 Missed/Refused",
        "03:03:00 Missed/Refused",
        "03:04:00 Fired",
    ]
    await world.passes()
    # What is in the way next: this world has no Agent.
    assert ready(world, key)["reason"] == "AgentNotFound"


async def test_what_was_refused_counts_as_missed_and_uses_no_run(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(maxRuns=1))
    world.server.refusal = NEVER
    await world.minutes(2)
    status = world.raw(key)["status"]
    assert (status["fired"], status["missed"], status["running"]) == (0, 2, 0)
    world.server.refusal = None
    await world.minutes(1)
    assert (await world.told(key))[-1] == "03:03:00 Fired"


async def test_the_words_of_a_refusal_are_kept_with_the_tick_and_told_in_the_log(
    world: ScheduleWorld, operator_store: Store
) -> None:
    key = world.has(EVERY)
    world.server.refusal = UserError("x" * 2000)
    await world.minutes(1)
    (row,) = await world.rows(key)
    assert (row.refused, row.job_name, row.settled_at) == ("x" * 500, None, world.now)
    page = await operator_store.run(events.after, 0)
    assert [each.event.type for each in page.events] == ["schedule.missed"]


@pytest.mark.parametrize("refusal", [FULL, NotFoundError("POST jobs: 404")])
async def test_a_refusal_that_may_pass_is_tried_again_until_the_window_is_over(
    world: ScheduleWorld, refusal: CoxswainError
) -> None:
    spec = {"catchUpWindowSeconds": 150, "overlap": "AllowAll"}
    key = world.has(EVERY.with_spec(**spec))
    world.server.refusal = refusal
    await world.minutes(4)
    assert [each.split(" ", 1)[1] for each in await world.told(key)] == [
        "Missed/Refused",
        "None",
        "None",
        "None",
    ]
    await world.passes()
    assert ready(world, key)["reason"] == "JobRefused"
    world.server.refusal = None
    await world.passes()
    assert [each.split(" ", 1)[1] for each in await world.told(key)] == [
        "Missed/Refused",
        "Fired",
        "Fired",
        "Fired",
    ]


async def test_a_deadline_ends_the_tries_sooner(world: ScheduleWorld) -> None:
    key = world.has(EVERY.with_spec(startingDeadlineSeconds=30))
    world.server.refusal = FULL
    await world.minutes(1)
    assert await world.told(key) == ["03:01:00 None"]
    world.later(seconds=31)
    await world.passes()
    assert await world.told(key) == ["03:01:00 Missed/Refused"]


async def test_only_the_oldest_of_many_refused_jobs_are_tried_again(world: ScheduleWorld) -> None:
    world.has(EVERY.with_spec(overlap="AllowAll"))
    world.server.refusal = FULL
    await world.minutes(20)
    first = world.server.asked[0]
    world.server.asked.clear()
    await world.passes()
    assert len(world.server.asked) == 5
    assert world.server.asked[0] == first


async def test_a_job_that_stands_since_a_lost_answer_has_fired_whatever_is_said_now(
    world: ScheduleWorld,
) -> None:
    key = world.has(EVERY)
    await world.passes()
    world.later(minutes=1)
    world.server.loses_answers = True
    with pytest.raises(UnavailableError):
        await world.passes()
    assert await world.told(key) == ["03:01:00 None"]
    world.server.loses_answers, world.server.refusal = False, NEVER
    await world.passes()
    assert await world.told(key) == ["03:01:00 Fired"]
    assert list(world.server.made.values()) == [1]


@pytest.mark.parametrize("error", [UnavailableError("503"), UnavailableError("no answer")])
async def test_an_answer_that_says_nothing_settles_nothing(
    world: ScheduleWorld, error: CoxswainError
) -> None:
    key = world.has(EVERY)
    await world.passes()
    world.later(hours=5)
    world.server.refusal = error
    with pytest.raises(UnavailableError):
        await world.passes()
    assert "None" in (await world.told(key))[1]


async def test_a_name_that_belongs_to_somebody_else_is_missed(world: ScheduleWorld) -> None:
    key = world.has(EVERY)
    await world.minutes(1)
    (job,) = world.jobs()
    other = {**job, "metadata": {**job["metadata"], "ownerReferences": []}}
    name = job["metadata"]["name"].replace("030100", "030200")
    path = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs"
    world.server.keep(
        f"{path}/{name}",
        {**other, "metadata": {**other["metadata"], "name": name, "uid": str(uuid4())}},
    )
    await world.ends(job)
    await world.minutes(1)
    assert (await world.told(key))[-1] == "03:02:00 Missed/Refused"
    assert "belongs to somebody else" in (await world.rows(key))[-1].refused


@pytest.mark.parametrize("at", range(1, 8))
async def test_a_leader_that_dies_at_any_change_misses_a_refused_tick_once(
    world: ScheduleWorld, at: int
) -> None:
    key = world.has(EVERY)
    await world.passes()
    world.later(minutes=1)
    world.server.refusal, world.deaths = NEVER, at
    try:
        await world.passes()
    except DiedError:
        await world.leads()
    world.deaths = 0
    await world.passes()
    assert await world.told(key) == ["03:01:00 Missed/Refused"]
    status = world.raw(key)["status"]
    assert (status["fired"], status["missed"]) == (0, 1)
