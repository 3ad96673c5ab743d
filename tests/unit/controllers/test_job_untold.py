"""Small things of a Job's life that seeded bugs have shown to be untold."""

from dataclasses import replace
from datetime import timedelta

from coxswain.api.conditions import ConditionType, find
from coxswain.api.job import JobPhase
from coxswain.reconcile import instants
from coxswain.rules.outcome import RunFacts
from coxswain_controllers.job import happenings
from coxswain_controllers.job.decide import decide
from tests.support import builders, snapshots
from tests.support.snapshots import CREATED, NOW, PLATFORM, WELL, at


def test_the_number_of_an_attempt_counts_on_where_the_list_is_cut() -> None:
    entries = [
        {"number": number, "podName": "p", "token": number, "outcome": "Lost"}
        for number in range(9, 41)
    ]
    job = builders.job().with_status(phase="Queued", attempt=40, attempts=entries)
    assert snapshots.waiting(job).number == 41


def test_a_job_that_is_cancelled_tells_of_the_attempt_that_nobody_saw() -> None:
    seen = snapshots.starting(builders.job().cancelled(), running_since=NOW)
    assert seen.pod is not None
    over = replace(seen, pod=replace(seen.pod, ended_at=at(5), end=WELL), run=RunFacts())
    known = snapshots.follow(over, decide(over, PLATFORM, at(6)))
    assert known.status.phase in (JobPhase.SUCCEEDED, JobPhase.CANCELLED)
    assert [each.number for each in known.status.attempts] == [1]


def test_the_end_of_an_agent_from_before_the_job_is_not_its_own() -> None:
    before = CREATED - timedelta(seconds=1)
    seen = snapshots.waiting(agent=None, agent_deleted_at=before)
    known = snapshots.follow(seen, decide(seen, PLATFORM, NOW))
    assert known.status.phase is JobPhase.QUEUED
    shown = find(known.status.conditions, ConditionType.AGENT_READY)
    assert shown is not None
    assert shown.reason == "AgentNotFound"


def test_the_id_of_an_event_holds_the_time_of_its_edge() -> None:
    raw = builders.job().running().raw
    edges = [{"phase": "Queued", "at": raw["metadata"]["creationTimestamp"], "attempt": 0}]
    status = {**raw["status"], "transitions": edges}
    (_, queued, *_) = happenings.of({**raw, "status": status}, is_gone=False)
    assert queued.id.int >> 80 == int(CREATED.timestamp() * 1000)


def test_a_pod_made_again_under_its_name_is_written_down() -> None:
    seen = snapshots.running()
    assert seen.pod is not None
    again = replace(seen, pod=replace(seen.pod, uid="another"))
    known = snapshots.follow(again, decide(again, PLATFORM, at(5)))
    assert [each.pod_uid for each in known.status.attempts] == ["another"]


def test_a_node_whose_clock_is_behind_turns_no_history_round() -> None:
    seen = snapshots.ended(end=WELL)
    assert seen.pod is not None
    early = replace(seen, pod=replace(seen.pod, ended_at=at(-60)))
    known = snapshots.follow(early, decide(early, PLATFORM, at(20)))
    times = [instants.read(edge.at) for edge in known.status.transitions]
    assert known.status.phase is JobPhase.SUCCEEDED
    assert times == sorted(times, key=str)
