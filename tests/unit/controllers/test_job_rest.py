"""Jobs that have ended, at a start: who needs no pass, told from raw objects as a whole pass would."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain.reconcile import key as keys
from coxswain.reconcile.decision import Decision
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.rest import rests
from coxswain_controllers.job.room import JobRoom
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, snapshots
from tests.support.builders import JobBuilder
from tests.support.snapshots import PLATFORM
from tests.support.worlds import PaperWorld

Body = dict[str, Any]
AGENT = builders.agent().ready().raw
LONG_AFTER = snapshots.at(86_400)


def ended(**spec: Any) -> JobSnapshot:
    """A Job whose pod ended well and stands there still."""
    known = snapshots.ended(builders.job("read").with_spec(**spec), snapshots.WELL)
    known = snapshots.follow(known, decide(known, PLATFORM, snapshots.at(21)))
    return replace(known, done=(known.pod,) if known.pod is not None else ())


def raw_of(snapshot: JobSnapshot, **spec: Any) -> Body:
    job: JobBuilder = builders.job(snapshot.key.name).with_spec(**spec)
    return job.with_status(**snapshot.status.to_wire()).raw


def pod_of(snapshot: JobSnapshot, phase: str = "Succeeded") -> Body:
    reference = {
        "apiVersion": "coxswain.dev/v1alpha1",
        "kind": "Job",
        "name": snapshot.key.name,
        "uid": snapshot.key.uid,
        "controller": True,
    }
    metadata = {
        "name": snapshot.pod_name,
        "namespace": snapshot.key.namespace,
        "uid": builders.uid_of("Pod", snapshot.pod_name),
        "resourceVersion": "7",
        "creationTimestamp": builders.CREATED,
        "ownerReferences": [reference],
    }
    return {"metadata": metadata, "status": {"phase": phase}}


def test_a_job_that_ended_and_whose_pod_has_ended_rests() -> None:
    done = ended()
    assert rests(raw_of(done), [pod_of(done)], AGENT)
    assert decide(done, PLATFORM, LONG_AFTER) == Decision(status=None)


def test_a_job_that_ended_and_has_no_pod_rests_whether_its_agent_is_there_or_not() -> None:
    assert rests(raw_of(ended()), [], None)


@pytest.mark.parametrize(
    "spec",
    [
        {"ttlSecondsAfterFinished": 0},
        {"retain": {"succeededPodSeconds": 0}},
        {"leases": [{"name": "row"}]},
    ],
    ids=lambda spec: next(iter(spec)),
)
def test_a_job_does_not_rest_that_has_something_due_after_its_end(spec: Body) -> None:
    assert not rests(raw_of(ended(), **spec), [], AGENT)


def test_a_job_does_not_rest_while_a_pod_of_it_lives() -> None:
    done = ended()
    assert not rests(raw_of(done), [pod_of(done, "Running")], AGENT)


@pytest.mark.parametrize("phase", ["Queued", "Running", "Review", None])
def test_a_job_that_has_not_ended_does_not_rest(phase: str | None) -> None:
    raw = raw_of(ended())
    assert not rests({**raw, "status": {**raw["status"], "phase": phase}}, [], AGENT)


def test_a_job_does_not_rest_whose_status_tells_of_an_older_spec() -> None:
    raw = raw_of(ended())
    assert not rests({**raw, "metadata": {**raw["metadata"], "generation": 2}}, [], AGENT)


@pytest.mark.parametrize(
    "agent",
    [None, builders.agent().with_metadata(creationTimestamp="2026-11-22T03:00:00Z").raw],
    ids=["gone", "younger"],
)
def test_a_job_does_not_rest_whose_pod_may_hold_the_home_of_an_agent_that_was_deleted(
    agent: Body | None,
) -> None:
    done = ended()
    assert not rests(raw_of(done), [pod_of(done)], agent)


async def listed(*jobs: Body, pods: tuple[Body, ...] = ()) -> list[str]:
    """The names of those who have a pass after a start, in their order."""
    paper = PaperWorld()
    for each in pods:
        paper.intake.hear("Pod", None, each)
    paper.world.cache.put("Agent", AGENT)
    for each in jobs:
        paper.intake.hear("Job", None, each)
    JobRoom(paper.world).listed(paper.world.cache.all("Job"))
    return [key.name for key in await paper.woken()]


async def test_after_a_start_a_job_that_rests_has_no_pass_although_its_pod_was_listed() -> None:
    done = ended()
    assert await listed(raw_of(done), pods=(pod_of(done),)) == []


async def test_after_a_start_those_come_first_that_have_not_ended() -> None:
    old = raw_of(ended(), ttlSecondsAfterFinished=60)
    assert await listed(old, builders.job("new").raw) == ["new", "read"]


async def test_a_job_that_rests_has_a_pass_once_its_pod_turns_out_to_live() -> None:
    done, paper = ended(), PaperWorld()
    paper.world.cache.put("Job", raw_of(done))
    JobRoom(paper.world).listed(paper.world.cache.all("Job"))
    paper.intake.hear("Pod", "ADDED", pod_of(done, "Running"))
    assert await paper.woken() == [keys.of("Job", raw_of(done))]


async def test_a_start_gets_over_a_job_that_has_ended_and_cannot_be_read() -> None:
    odd = {**raw_of(ended()), "spec": {"agentRef": "a text"}}
    assert await listed(odd) == []
