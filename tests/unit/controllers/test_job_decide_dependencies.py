"""A Job that waits for other Jobs."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.job import JobPhase
from coxswain.reconcile import actions
from coxswain_controllers.job import aside
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import DependencySeen, JobSnapshot
from tests.support import builders, snapshots
from tests.support.snapshots import NO_RECORDS, NOW, PLATFORM, at

AFTER_TWO = builders.job().with_spec(dependsOn=[{"name": "fetch"}, {"name": "clean"}])
DONE = JobPhase.SUCCEEDED


def _seen(*phases: JobPhase | None, on_failure: str = "Fail", **more: Any) -> JobSnapshot:
    names = ("fetch", "clean")
    found = tuple(
        DependencySeen(name, phase, on_failure, is_missing=phase is None)  # type: ignore[arg-type]  # one of two
        for name, phase in zip(names, phases, strict=True)
    )
    return snapshots.waiting(AFTER_TWO, dependencies=found, **more)


def _shown(snapshot: JobSnapshot) -> tuple[str, str, str]:
    known = snapshots.follow(snapshot, decide(snapshot, PLATFORM, NOW))
    found = find(known.status.conditions, ConditionType.DEPENDENCIES_MET)
    assert found is not None
    return found.status, found.reason, found.message


def test_it_starts_when_all_have_succeeded() -> None:
    seen = _seen(DONE, DONE)
    assert isinstance(decide(seen, PLATFORM, NOW).actions[0], actions.OpenRun)
    running = snapshots.running(AFTER_TWO, dependencies=seen.dependencies)
    starts = replace(
        snapshots.starting(AFTER_TWO, running_since=NOW), dependencies=seen.dependencies
    )
    known = snapshots.follow(starts, decide(starts, PLATFORM, at(1)))
    assert find(known.status.conditions, ConditionType.DEPENDENCIES_MET)
    assert running.status.phase == "Running"


@pytest.mark.parametrize("phase", [JobPhase.QUEUED, JobPhase.RUNNING, JobPhase.REVIEW])
def test_it_waits_for_one_that_has_not_ended_and_lets_others_go_first(phase: JobPhase) -> None:
    seen = _seen(DONE, phase)
    assert _shown(seen) == ("False", "DependenciesPending", "waits for 1 of 2 Jobs to end: clean")
    assert aside.stands_aside(seen)
    known = snapshots.follow(seen, decide(seen, PLATFORM, NOW))
    assert decide(known, PLATFORM, at(600)).status is None


def test_it_waits_for_one_that_is_not_there_and_names_it() -> None:
    status, reason, message = _shown(_seen(JobPhase.RUNNING, None))
    assert (status, reason) == ("False", "DependencyMissing")
    assert "there is no Job clean in team" in message


@pytest.mark.parametrize("phase", [JobPhase.FAILED, JobPhase.CANCELLED])
def test_it_fails_with_one_that_failed(phase: JobPhase) -> None:
    seen = _seen(JobPhase.RUNNING, phase)
    decision = decide(seen, PLATFORM, NOW)
    found = snapshots.follow(seen, decision).status
    assert (found.phase, found.transitions[-1].reason) == ("Failed", "DependencyFailed")
    assert decision.actions == ()
    assert [note.message for note in decision.notes] == [
        f"spec.dependsOn: Job clean ended as {phase}"
    ]
    assert _shown(seen)[:2] == ("False", "DependencyFailed")


@pytest.mark.parametrize("phase", [JobPhase.FAILED, JobPhase.CANCELLED])
def test_a_failure_that_is_to_be_ignored_is_an_end_like_another(phase: JobPhase) -> None:
    seen = _seen(DONE, phase, on_failure="Ignore")
    assert isinstance(decide(seen, PLATFORM, NOW).actions[0], actions.OpenRun)


def test_a_circle_ends_the_job_and_is_named() -> None:
    seen = _seen(JobPhase.QUEUED, JobPhase.QUEUED, circle=("read", "fetch", "read"))
    found = snapshots.follow(seen, decide(seen, PLATFORM, NOW)).status
    assert (found.phase, found.transitions[-1].reason) == ("Failed", "DependencyCycle")
    failed = find(found.conditions, ConditionType.FAILED)
    assert failed is not None
    assert "read -> fetch -> read" in failed.message


def test_a_job_that_fails_with_another_says_no_more_than_was_asked() -> None:
    seen = _seen(JobPhase.RUNNING, JobPhase.FAILED, agent=None)
    found = snapshots.follow(seen, decide(seen, PLATFORM, NOW)).status
    assert {each.type: each.status for each in found.conditions[:-4]} == {
        "Accepted": "True",
        "AgentReady": "False",
        "DependenciesMet": "False",
    }


def test_once_it_has_begun_nobody_asks_for_its_dependencies_again() -> None:
    job = AFTER_TWO.with_attempts(2)
    over = snapshots.ended(job)
    waits = snapshots.follow(over, decide(over, PLATFORM, at(21)), pod=None, run=None)
    failed = replace(
        waits, dependencies=_seen(JobPhase.FAILED, None).dependencies, circle=("read", "read")
    )
    assert isinstance(decide(failed, PLATFORM, at(3000)).actions[0], actions.OpenRun)


def test_without_records_it_says_so_first() -> None:
    seen = _seen(DONE, None, records=NO_RECORDS)
    known = snapshots.follow(seen, decide(seen, PLATFORM, NOW))
    assert find(known.status.conditions, ConditionType.DEPENDENCIES_MET) is None
    assert find(known.status.conditions, ConditionType.RECORDS_AVAILABLE)


def test_it_can_be_cancelled_while_it_waits() -> None:
    seen = replace(_seen(DONE, None), spec=snapshots.waiting(AFTER_TWO.cancelled()).spec)
    assert snapshots.follow(seen, decide(seen, PLATFORM, NOW)).status.phase == "Cancelled"
