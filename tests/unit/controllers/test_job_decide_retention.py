"""Pods that have ended stay for a look as long as the Job says, and no suspended Job starts one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from coxswain import names
from coxswain.api.conditions import ConditionType, find
from coxswain.reconcile import actions
from coxswain.rules.outcome import PodEnd
from coxswain_controllers.job import aside
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, snapshots
from tests.support.snapshots import BADLY, NOW, PLATFORM, WELL, at

SUSPENDED = builders.job().with_spec(suspend=True)


def _over(end: PodEnd, **retain: Any) -> JobSnapshot:
    """The Job has ended with its pod at 20 s; the pod is still there."""
    job = builders.job().with_spec(**({"retain": retain} if retain else {}))
    seen = snapshots.ended(job, end)
    assert seen.pod is not None
    known = snapshots.follow(seen, decide(seen, PLATFORM, at(21)))
    return replace(known, done=(seen.pod,))


@pytest.mark.parametrize(
    ("end", "retain", "until"),
    [
        (BADLY, {"failedPodSeconds": 60}, 80),
        (WELL, {"succeededPodSeconds": 5}, 25),
        (WELL, {"succeededPodSeconds": 0, "failedPodSeconds": 60}, 20),
    ],
)
def test_a_pod_stays_for_its_time_and_goes_then(
    end: PodEnd, retain: dict[str, int], until: int
) -> None:
    seen = _over(end, **retain)
    assert seen.pod is not None
    if until > 22:
        early = decide(seen, PLATFORM, at(22))
        assert (early.actions, early.wake_at) == ((), at(until))
    pod = actions.DeletePod(seen.key.namespace, seen.pod.name, seen.pod.uid)
    assert decide(seen, PLATFORM, at(max(until, 22))).actions == (pod,)


@pytest.mark.parametrize(("end", "retain"), [(BADLY, {}), (BADLY, {"succeededPodSeconds": 0})])
def test_without_a_word_about_it_a_pod_stays_as_long_as_its_job(
    end: PodEnd, retain: dict[str, int]
) -> None:
    decision = decide(_over(end, **retain), PLATFORM, at(10**7))
    assert (decision.actions, decision.wake_at) == ((), None)


def test_a_pod_that_goes_already_is_not_told_again() -> None:
    seen = _over(BADLY, failedPodSeconds=0)
    assert seen.pod is not None
    going = replace(seen, done=(replace(seen.pod, is_deleting=True),))
    assert decide(going, PLATFORM, at(100)).actions == ()


def test_an_ended_pod_is_judged_and_its_log_kept_before_it_goes() -> None:
    job = builders.job().with_spec(retain={"failedPodSeconds": 0})
    seen = snapshots.ended(job)
    assert seen.pod is not None
    decision = decide(replace(seen, done=(seen.pod,)), PLATFORM, at(21))
    kinds = [type(each) for each in decision.actions]
    assert kinds == [actions.CloseRun, actions.KeepLog]
    assert decision.wake_at == at(22)


def test_the_pod_of_a_failed_attempt_goes_while_the_job_tries_again() -> None:
    job = (
        builders.job()
        .with_attempts(2, backoffSeconds=3600)
        .with_spec(retain={"failedPodSeconds": 0})
    )
    seen = snapshots.ended(job)
    assert seen.pod is not None
    known = snapshots.follow(seen, decide(seen, PLATFORM, at(21)), pod=None, run=None)
    decision = decide(replace(known, done=(seen.pod,)), PLATFORM, at(22))
    assert [type(each) for each in decision.actions] == [actions.DeletePod]


def test_a_suspended_job_starts_nothing_and_says_so_once() -> None:
    seen = snapshots.waiting(SUSPENDED)
    decision = decide(seen, PLATFORM, NOW)
    known = snapshots.follow(seen, decision)
    assert decision.actions == ()
    kinds = [each.type for each in known.status.conditions]
    assert kinds == ["Accepted", "Suspended", "Ready", "Reconciling", "Stalled"]
    shown = find(known.status.conditions, ConditionType.SUSPENDED)
    assert shown is not None
    assert (known.status.phase, shown.status) == ("Queued", "True")
    assert decide(known, PLATFORM, at(60)).status is None
    assert aside.stands_aside(known)


def test_a_job_that_is_suspended_no_more_starts_and_says_nothing_of_it() -> None:
    seen = snapshots.waiting(SUSPENDED)
    known = snapshots.follow(seen, decide(seen, PLATFORM, NOW))
    free = replace(known, spec=known.valid_spec.model_copy(update={"suspend": False}))
    assert isinstance(decide(free, PLATFORM, at(1)).actions[0], actions.OpenRun)


def test_a_request_suspends_as_the_spec_does_and_names_who_asked() -> None:
    asked = json.dumps({"by": "ada", "why": "no data yet"})
    job = builders.job().with_metadata(annotations={names.ANNOTATION_SUSPEND: asked})
    seen = snapshots.waiting(job)
    known = snapshots.follow(seen, decide(seen, PLATFORM, NOW))
    shown = find(known.status.conditions, ConditionType.SUSPENDED)
    assert shown is not None
    assert shown.message.startswith("asked for by ada: no data yet")
    assert aside.stands_aside(known)
    free = replace(known, metadata=known.metadata.model_copy(update={"annotations": {}}))
    assert isinstance(decide(free, PLATFORM, at(1)).actions[0], actions.OpenRun)


def test_an_attempt_that_runs_goes_on_and_the_next_one_waits() -> None:
    job = builders.job().with_attempts(2).with_spec(suspend=True)
    running = snapshots.running(job)
    assert running.status.phase == "Running"
    assert decide(running, PLATFORM, at(5)).actions == ()
    seen = snapshots.ended(job)
    known = snapshots.follow(seen, decide(seen, PLATFORM, at(21)), pod=None, run=None)
    decision = decide(known, PLATFORM, at(22))
    assert decision.actions == ()
    assert find(snapshots.follow(known, decision).status.conditions, ConditionType.SUSPENDED)


def test_a_suspended_job_can_be_cancelled() -> None:
    seen = snapshots.waiting(SUSPENDED.cancelled())
    assert snapshots.follow(seen, decide(seen, PLATFORM, NOW)).status.phase == "Cancelled"
