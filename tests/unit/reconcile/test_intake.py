"""Whom an event wakes."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from coxswain.reconcile import intake
from coxswain.reconcile import key as keys
from coxswain.reconcile.turns import Request
from coxswain.rules import caps
from coxswain.telemetry import metrics
from tests.support import lines
from tests.support.worlds import Body, PaperWorld, job, pod, quota, raw

TEAM = caps.of_workspace("team")


@pytest.fixture
def paper() -> PaperWorld:
    return PaperWorld()


def _waits(paper: PaperWorld, body: Body) -> None:
    paper.intake.notice("Job", "ADDED", body)
    paper.world.turns.ask(_request(body))


def _request(body: Body) -> Request:
    """What the Job asks for; its Agent runs one at a time."""
    wanted = lines.request(body["metadata"]["uid"], agent_jobs=1)
    return replace(wanted, key=keys.of("Job", body))


async def _names(paper: PaperWorld) -> list[str]:
    return [f"{key.kind} {key.name}" for key in await paper.woken()]


async def test_a_job_wakes_itself_and_an_old_event_of_it_nobody(paper: PaperWorld) -> None:
    paper.intake.notice("Job", "ADDED", job("j", 5))
    assert await _names(paper) == ["Job j"]
    paper.intake.notice("Job", "MODIFIED", job("j", 4))
    paper.intake.notice("Job", "MODIFIED", job("j", 5))
    assert await _names(paper) == []


async def test_an_event_that_cannot_be_taken_in_is_counted_tried_again_and_swept_for(
    paper: PaperWorld,
) -> None:
    before = metrics.EVENTS_NOT_TAKEN.labels("Job")._value.get()
    with capture_logs() as lines:
        paper.intake.hear("Job", "ADDED", job("bad", metadata={"ownerReferences": ["no object"]}))
    paper.intake.hear("Job", "ADDED", job("good"))
    assert metrics.EVENTS_NOT_TAKEN.labels("Job")._value.get() == before + 1
    assert [line["uid"] for line in lines] == ["Job-bad"]
    assert paper.intake.missed.is_set()
    assert await _names(paper) == ["Job good"]
    paper.now += 1.0
    assert (await paper.queue.take()).name == "bad"


async def test_a_job_whose_agent_cannot_be_read_is_taken_in_like_any_other(
    paper: PaperWorld,
) -> None:
    paper.intake.hear("Job", "ADDED", {**job("j"), "spec": {"agentRef": "no object"}})
    assert await _names(paper) == ["Job j"]
    assert not paper.intake.missed.is_set()


async def test_a_pod_wakes_its_job(paper: PaperWorld) -> None:
    paper.intake.notice("Job", "ADDED", job("j"))
    await paper.woken()
    paper.intake.notice("Pod", "ADDED", pod("p", "j"))
    assert await _names(paper) == ["Job j"]


@pytest.mark.parametrize(("change", "phase"), [("MODIFIED", "Succeeded"), ("DELETED", "Running")])
async def test_a_pod_that_ends_wakes_the_next_of_the_line_and_nobody_else(
    paper: PaperWorld, change: str, phase: str
) -> None:
    paper.intake.notice("Job", "ADDED", job("j"))
    paper.intake.notice("Pod", "ADDED", pod("p", "j", 1))
    for name in ("a", "b", "c"):
        _waits(paper, job(name))
    await paper.woken()
    paper.intake.notice("Pod", change, pod("p", "j", 2, phase=phase))
    assert sorted(await _names(paper)) == ["Job a", "Job j"]


async def test_an_agent_wakes_those_of_its_jobs_that_have_not_ended(paper: PaperWorld) -> None:
    paper.intake.notice("Job", "ADDED", job("lives"))
    paper.intake.notice("Job", "ADDED", job("ended", status={"phase": "Succeeded"}))
    paper.intake.notice("Job", "ADDED", job("foreign", agent="other"))
    await paper.woken()
    paper.intake.notice("Agent", "MODIFIED", raw("Agent", "helm", 7))
    assert await _names(paper) == ["Agent helm", "Job lives"]


async def test_whoever_had_the_name_of_a_new_object_before_is_gone_although_no_event_told(
    paper: PaperWorld,
) -> None:
    paper.intake.notice("Agent", "ADDED", raw("Agent", "helm", 7))
    paper.intake.notice("Agent", "ADDED", raw("Agent", "helm", 9, metadata={"uid": "another"}))
    assert paper.journal.gone == ["Agent helm"]
    assert [each["metadata"]["uid"] for each in paper.world.cache.all("Agent")] == ["another"]
    assert ("team", "helm") in paper.world.agents_deleted


async def test_what_is_heard_late_of_a_namesake_that_is_gone_changes_nothing(
    paper: PaperWorld,
) -> None:
    paper.intake.notice("Agent", "ADDED", raw("Agent", "helm", 9, metadata={"uid": "another"}))
    await paper.woken()
    paper.intake.notice("Agent", "MODIFIED", raw("Agent", "helm", 7))
    assert await _names(paper) == []
    named = paper.world.cache.named("Agent", "team", "helm")
    assert named is not None
    assert named["metadata"]["uid"] == "another"


async def test_an_end_that_is_told_twice_is_heard_once(paper: PaperWorld) -> None:
    paper.intake.notice("Agent", "DELETED", raw("Agent", "helm", 7))
    paper.world.agents_deleted.clear()
    await paper.woken()
    paper.intake.notice("Agent", "DELETED", raw("Agent", "helm", 7))
    assert await _names(paper) == []
    assert not paper.world.agents_deleted


async def test_an_agent_that_has_gone_wakes_its_ended_jobs_too(paper: PaperWorld) -> None:
    agent = raw("Agent", "helm", 7)
    paper.intake.notice("Agent", "ADDED", agent)
    paper.intake.notice("Job", "ADDED", job("ended", status={"phase": "Succeeded"}))
    paper.intake.notice("Job", "ADDED", job("foreign", agent="other"))
    await paper.woken()
    paper.intake.notice("Agent", "DELETED", agent)
    assert await _names(paper) == ["Job ended", "Agent helm"]
    assert ("team", "helm") in paper.world.agents_deleted


async def test_a_job_that_goes_before_its_pod_is_made_gives_its_slot_to_the_next(
    paper: PaperWorld,
) -> None:
    first, second = job("first"), job("second")
    _waits(paper, first)
    _waits(paper, second)
    await paper.woken()
    paper.intake.notice("Job", "DELETED", first)
    assert "Job second" in await _names(paper)
    assert paper.journal.gone == ["Job first"]


@pytest.mark.parametrize(
    ("hard", "used", "woken"),
    [(4, 4, 0), (4, 3, 1), (4, 1, 3), (6, 4, 2), (4, 5, 0)],
)
async def test_a_quota_that_gets_room_wakes_as_many_as_fit(
    paper: PaperWorld, hard: int, used: int, woken: int
) -> None:
    for name in ("a", "b", "c", "d", "e"):
        body = job(name)
        paper.intake.notice("Job", "ADDED", body)
        paper.world.turns.park(_request(body), TEAM)
    paper.intake.notice("ResourceQuota", "ADDED", quota(1, 4, 4))
    await paper.woken()
    paper.world.refusals.keep("team", "Job-a", "full", news=paper.world.refusals.news("team"))
    paper.intake.notice("ResourceQuota", "MODIFIED", quota(2, hard, used))
    assert len(await paper.woken()) == woken
    assert (paper.world.refusals.of("team", "Job-a") is None) is (woken > 0)


async def test_of_those_who_were_refused_the_first_ask_again_and_all_others_wait(
    paper: PaperWorld,
) -> None:
    """The API server may have refused by numbers older than those that it has told of."""
    bodies = [job(f"j{number:02}") for number in range(intake.ASK_AGAIN + 2)]
    for body in bodies:
        _is_refused(paper, body)
    await paper.woken()
    paper.intake.ask_again()
    asking = {key.uid for key in await paper.woken()}
    assert len(asking) == intake.ASK_AGAIN
    refused = {each["metadata"]["uid"] for each in bodies if _said(paper, each) is not None}
    assert refused == {each["metadata"]["uid"] for each in bodies} - asking


async def test_whoever_waits_by_what_the_quota_says_is_not_asked_again(paper: PaperWorld) -> None:
    body = job("j")
    paper.intake.notice("Job", "ADDED", body)
    paper.world.turns.park(_request(body), TEAM)
    await paper.woken()
    paper.intake.ask_again()
    assert await _names(paper) == []


def _is_refused(paper: PaperWorld, body: Body) -> None:
    paper.intake.notice("Job", "ADDED", body)
    paper.world.turns.park(_request(body), TEAM)
    refusals = paper.world.refusals
    refusals.keep("team", body["metadata"]["uid"], "full", news=refusals.news("team"))


def _said(paper: PaperWorld, body: Body) -> str | None:
    return paper.world.refusals.of("team", body["metadata"]["uid"])


async def test_a_quota_that_comes_late_lets_its_workspace_be_looked_at_again(
    paper: PaperWorld,
) -> None:
    paper.intake.notice("Agent", "ADDED", raw("Agent", "helm"))
    await paper.woken()
    paper.intake.notice("ResourceQuota", "ADDED", quota(1, 4, 0))
    assert paper.workspaces.forgotten == ["team"]
    assert await _names(paper) == ["Agent helm"]


async def test_what_a_new_list_does_not_show_is_gone_unless_it_is_younger(
    paper: PaperWorld,
) -> None:
    for name, version in (("stays", 5), ("goes", 6), ("young", 20)):
        paper.intake.notice("Pod", "ADDED", pod(name, "j", version))
    paper.intake.notice_all("Pod", [pod("stays", "j", 5)], 10)
    names = {each["metadata"]["name"] for each in paper.world.cache.all("Pod")}
    assert names == {"stays", "young"}


async def test_everything_that_has_not_ended_is_looked_at_again(paper: PaperWorld) -> None:
    paper.intake.notice("Job", "ADDED", job("lives"))
    paper.intake.notice("Job", "ADDED", job("ended", status={"phase": "Failed"}))
    paper.intake.notice("Agent", "ADDED", raw("Agent", "helm"))
    await paper.woken()
    paper.intake.wake_everything()
    assert sorted(await _names(paper)) == ["Agent helm", "Job lives"]


async def test_another_process_wakes_by_name_whoever_has_it_now(paper: PaperWorld) -> None:
    paper.intake.notice("Job", "ADDED", job("j"))
    await paper.woken()
    paper.intake.wake("Job", "team", "j")
    paper.intake.wake("Job", "team", "nobody")
    assert await _names(paper) == ["Job j"]


def test_pods_of_nobody_are_counted_nowhere(paper: PaperWorld) -> None:
    foreign = pod("p", "j")
    foreign["metadata"]["ownerReferences"] = []
    paper.intake.notice("Pod", "ADDED", foreign)
    paper.intake.notice("Pod", "ADDED", pod("ours", "j"))
    assert len(paper.world.cache.group(("pods", "team", "helm"))) == 1


def _after(name: str, *others: str) -> Body:
    body = job(name)
    return {**body, "spec": {**body["spec"], "dependsOn": [{"name": each} for each in others]}}


async def test_a_job_wakes_those_who_wait_for_it_and_nobody_else(paper: PaperWorld) -> None:
    for body in (_after("third", "first", "second"), _after("fourth", "other"), job("fifth")):
        paper.intake.notice("Job", "ADDED", body)
    await paper.woken()
    paper.intake.notice("Job", "ADDED", job("first"))
    assert await _names(paper) == ["Job first", "Job third"]
    ended = job("first", 2, status={"phase": "Succeeded"})
    paper.intake.notice("Job", "MODIFIED", ended)
    assert await _names(paper) == ["Job first", "Job third"]
    paper.intake.notice("Job", "DELETED", ended)
    assert await _names(paper) == ["Job first", "Job third"]


@pytest.mark.parametrize("change", ["MODIFIED", "DELETED"])
async def test_whoever_has_ended_or_is_gone_waits_for_nobody(
    paper: PaperWorld, change: str
) -> None:
    paper.intake.notice("Job", "ADDED", _after("third", "first"))
    over = {**_after("third", "first"), "status": {"phase": "Cancelled"}}
    over["metadata"] = {**over["metadata"], "resourceVersion": "2"}
    paper.intake.notice("Job", change, over)
    await paper.woken()
    paper.intake.notice("Job", "ADDED", job("first"))
    assert await _names(paper) == ["Job first"]
    assert not paper.world.dependents.of(job("first"))


async def test_a_namesake_in_another_workspace_wakes_nobody(paper: PaperWorld) -> None:
    paper.intake.notice("Job", "ADDED", _after("third", "first"))
    await paper.woken()
    other = raw("Job", "first", metadata={"namespace": "elsewhere", "uid": "other"})
    paper.intake.notice("Job", "ADDED", other)
    assert await _names(paper) == ["Job first"]


async def test_ten_sweeps_look_at_every_schedule_once(paper: PaperWorld) -> None:
    for n in range(40):
        paper.intake.hear("Schedule", "ADDED", raw("Schedule", f"s{n}"))
    await paper.woken()
    found = []
    for turn in range(10):
        paper.intake.wake_schedules(10, turn)
        found += await paper.woken()
    assert sorted(key.name for key in found) == sorted(f"s{n}" for n in range(40))


async def test_the_end_of_a_job_wakes_its_schedule_and_its_running_does_not(
    paper: PaperWorld,
) -> None:
    owner = {
        "apiVersion": "coxswain.dev/v1alpha1",
        "kind": "Schedule",
        "name": "s",
        "uid": "Schedule-s",
        "controller": True,
    }
    for version, phase in ((1, "Queued"), (2, "Running"), (3, "Succeeded")):
        metadata = {"ownerReferences": [owner]}
        status = {"phase": phase}
        paper.intake.hear("Job", "MODIFIED", job("j", version, metadata=metadata, status=status))
        woken = {key.kind for key in await paper.woken()}
        assert woken == ({"Job", "Schedule"} if phase == "Succeeded" else {"Job"})


async def test_a_list_of_one_workspace_takes_nothing_of_another_as_gone(paper: PaperWorld) -> None:
    paper.intake.notice("Job", "ADDED", job("here"))
    paper.intake.notice("Job", "ADDED", job("there", metadata={"namespace": "other"}))
    paper.intake.notice_all("Job", [], 9, "team")
    assert paper.journal.gone == ["Job here"]
    assert [each["metadata"]["name"] for each in paper.world.cache.all("Job")] == ["there"]


async def test_a_list_lines_jobs_up_by_age(paper: PaperWorld) -> None:
    young = job("a", metadata={"creationTimestamp": "2026-11-21T03:00:02Z"})
    old = job("b", metadata={"creationTimestamp": "2026-11-21T03:00:01Z"})
    paper.intake.notice_all("Job", [young, old], 9)
    assert await _names(paper) == ["Job b", "Job a"]


async def test_the_jobs_of_a_lost_workspace_leave_the_line_to_others(paper: PaperWorld) -> None:
    for name in ("first", "second"):
        _waits(paper, job(name))
    assert sum(paper.world.turns.lined().values()) == 1
    paper.intake.lost("other")
    assert sum(paper.world.turns.lined().values()) == 1
    paper.intake.lost("team")
    assert not paper.world.turns.lined()
    assert not paper.world.turns.running()


async def test_all_of_a_workspace_that_is_back_is_looked_at(paper: PaperWorld) -> None:
    paper.intake.notice("Agent", "ADDED", raw("Agent", "helm"))
    paper.intake.notice("Job", "ADDED", job("j"))
    paper.intake.notice("Job", "ADDED", job("there", metadata={"namespace": "other"}))
    await _names(paper)
    paper.intake.found("team")
    assert sorted(await _names(paper)) == ["Agent helm", "Job j"]
    assert paper.workspaces.forgotten == ["team"]
