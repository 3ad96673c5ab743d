"""The Job's room: how Jobs stand in line between their passes."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.job import JobStatus
from coxswain.reconcile import actions
from coxswain.reconcile.decision import Decision
from coxswain.rules import caps
from coxswain.rules.caps import Caps
from coxswain.rules.quota import QuotaState
from coxswain_controllers.job.room import JobRoom
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, lines, snapshots
from tests.support.snapshots import NOW, PLATFORM, waiting
from tests.support.worlds import PaperWorld

FULL = (QuotaState("team", {"pods": Decimal(2)}, {"pods": Decimal(2)}),)


@pytest.fixture
def paper() -> PaperWorld:
    """An installation that runs one Job at a time."""
    made = PaperWorld(caps=Caps(installation=1))
    made.world.platform = PLATFORM
    return made


@pytest.fixture
def room(paper: PaperWorld) -> JobRoom:
    return JobRoom(paper.world)


AGES = {"first": 1, "second": 2, "third": 3}


def job(name: str, **spec: Any) -> JobSnapshot:
    made = builders.job(name).with_spec(**spec)
    return waiting(made.with_metadata(creationTimestamp=f"2026-11-21T03:00:0{AGES.get(name, 9)}Z"))


def starts(decision: Decision) -> bool:
    return any(isinstance(each, actions.CreatePod) for each in decision.actions)


async def woken(paper: PaperWorld) -> list[str]:
    return [key.name for key in await paper.woken()]


def test_the_second_job_waits_and_says_which_cap_is_full(room: JobRoom) -> None:
    assert starts(room.decide(job("first"), NOW))
    decision = room.decide(job("second"), NOW)
    assert not starts(decision)
    assert decision.status is not None
    status = JobStatus.model_validate(decision.status)
    why = find(status.conditions, ConditionType.QUOTA_RESERVED)
    assert why is not None
    assert (why.status, why.reason) == ("False", "InstallationQuota")


def test_a_pass_that_is_repeated_before_the_pod_is_known_starts_the_same_job_again(
    room: JobRoom,
) -> None:
    first = job("first")
    assert starts(room.decide(first, NOW))
    assert starts(room.decide(first, NOW))


async def test_a_job_that_has_its_turn_and_cannot_use_it_passes_it_on(
    paper: PaperWorld, room: JobRoom
) -> None:
    first, second, third = job("first"), job("second"), job("third")
    for each in (first, second, third):
        room.decide(each, NOW)
    room.decide(job("first", cancel=True), NOW)
    assert await woken(paper) == ["second"]
    room.decide(replace(second, agent=None), NOW)
    assert await woken(paper) == ["third"]
    assert starts(room.decide(third, NOW))


@pytest.mark.parametrize(
    "shut",
    [
        {"agent": None},
        {"records": snapshots.NO_RECORDS},
        {"former": (snapshots.pod(waiting(), name="older"),)},
    ],
    ids=["no Agent", "no records", "a former pod"],
)
def test_a_job_that_could_not_start_takes_no_slot_and_no_place(
    paper: PaperWorld, room: JobRoom, shut: dict[str, Any]
) -> None:
    assert not starts(room.decide(replace(job("shut"), **shut), NOW))
    assert paper.world.turns.lined() == {}
    assert starts(room.decide(job("open"), NOW))


async def test_a_job_that_a_quota_of_the_workspace_holds_takes_no_slot_and_is_called(
    paper: PaperWorld, room: JobRoom
) -> None:
    held = replace(job("held"), quotas=FULL)
    assert not starts(room.decide(held, NOW))
    assert paper.world.turns.lined() == {("team", "default"): 1}
    assert starts(room.decide(job("small"), NOW))
    room.decide(job("small", cancel=True), NOW)
    assert await woken(paper) == []
    paper.world.turns.call(caps.of_workspace("team"), 1)
    assert await woken(paper) == ["held"]


async def test_after_a_restart_the_oldest_in_line_is_next_whoever_passes_first(
    paper: PaperWorld, room: JobRoom
) -> None:
    paper.world.cache.put("Agent", builders.agent().ready().raw)
    held = lines.request("runs")
    paper.world.turns.pod_changed(None, lines.pod(held, "Running"))
    listed = [
        _shown("older", "2026-11-21T03:00:00Z", "InstallationQuota"),
        _shown("younger", "2026-11-21T03:00:09Z", "InstallationQuota"),
    ]
    never_seen = builders.job("new").raw
    room.listed([*reversed(listed), never_seen])
    assert paper.world.turns.lined() == {("team", "default"): 2}
    paper.world.turns.pod_changed(lines.pod(held, "Running"), None)
    assert await woken(paper) == ["older"]
    assert not starts(room.decide(job("younger"), NOW))
    assert not starts(room.decide(job("new"), NOW))


async def test_a_slot_that_came_free_during_a_restart_is_given_once_all_stand_in_line(
    paper: PaperWorld, room: JobRoom
) -> None:
    paper.world.cache.put("Agent", builders.agent().ready().raw)
    younger = _shown("younger", "2026-11-21T03:00:09Z", "AgentQuota")
    room.listed([younger, _shown("older", "2026-11-21T03:00:00Z", "AgentQuota")])
    assert await woken(paper) == ["older"]


def _shown(name: str, created_at: str, reason: str) -> dict[str, Any]:
    made = builders.job(name).with_metadata(creationTimestamp=created_at)
    queued = made.with_status(phase="Queued", observedGeneration=1)
    return queued.with_condition("QuotaReserved", "False", reason).raw
