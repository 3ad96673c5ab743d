"""How a Job ends for another reason than its attempt, and how it goes."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coxswain import names
from coxswain.api.conditions import ConditionType, find
from coxswain.errors import UserError
from coxswain.reconcile import actions, instants
from coxswain.reconcile.displaced import Displacement
from coxswain.rules.outcome import PodEnd, RunFacts
from coxswain_controllers.job import happenings
from coxswain_controllers.job.decide import LOOK_AGAIN, decide
from coxswain_controllers.job.snapshot import AgentSeen, JobSnapshot
from tests.support import builders, replay, snapshots
from tests.support.builders import JobBuilder
from tests.support.snapshots import CREATED, NO_RECORDS, NOW, PLATFORM, at, posted

BY_ANNOTATION = builders.job().with_metadata(
    annotations={names.ANNOTATION_CANCEL: json.dumps({"by": "ada", "why": "too late"})}
)
IN_WORDS = builders.job().with_metadata(annotations={names.ANNOTATION_CANCEL: "please"})
ASKED: dict[str, tuple[JobBuilder, dict[str, Any], str, str]] = {
    "spec": (builders.job().cancelled(), {}, "Cancelled", "spec.cancel is true"),
    "annotation": (BY_ANNOTATION, {}, "Cancelled", "asked for by ada: too late"),
    "annotation in words": (
        IN_WORDS,
        {},
        "Cancelled",
        f"annotation {names.ANNOTATION_CANCEL}",
    ),
    "Agent gone": (
        builders.job(),
        {"agent": None, "agent_deleted_at": CREATED},
        "AgentDeleted",
        "the Agent of this Job was deleted",
    ),
}
KEPT_A_MINUTE = builders.job().with_spec(ttlSecondsAfterFinished=60)


def _asked(name: str, *, is_running: bool) -> JobSnapshot:
    job, seen, _, _ = ASKED[name]
    if is_running:
        plain = snapshots.running()
        asked = snapshots.waiting(job)
        return replace(plain, spec=asked.spec, metadata=asked.metadata, **seen)
    return snapshots.waiting(job, **seen)


@pytest.mark.parametrize("name", ASKED)
def test_a_waiting_job_that_is_to_end_ends_at_once(name: str) -> None:
    seen = _asked(name, is_running=False)
    decision = decide(seen, PLATFORM, NOW)
    found = snapshots.follow(seen, decision).status
    assert (decision.actions, decision.notes) == ((), ())
    assert (found.phase, found.attempts) == ("Cancelled", [])
    _, _, reason, message = ASKED[name]
    ready = find(found.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.reason, ready.message) == ("False", reason, message)


@pytest.mark.parametrize("name", ASKED)
def test_a_running_job_that_is_to_end_ends_after_its_pod(name: str) -> None:
    seen = _asked(name, is_running=True)
    assert seen.pod is not None
    first = decide(seen, PLATFORM, at(5))
    pod = actions.DeletePod(seen.key.namespace, seen.pod.name, seen.pod.uid)
    assert first.actions == (pod, actions.AskToEnd(seen.key.uid, 1))
    assert first.status is None
    going = replace(seen, pod=replace(seen.pod, is_deleting=True))
    assert decide(going, PLATFORM, at(6)).actions == ()
    gone = decide(replace(seen, pod=None), PLATFORM, at(7))
    found = snapshots.follow(seen, gone).status
    reason = ASKED[name][2]
    assert gone.actions == (actions.CloseRun(seen.key.uid, 1, f"Cancelled/{reason}"),)
    assert found.phase == "Cancelled"
    assert (found.attempts[0].outcome, found.attempts[0].reason) == ("Cancelled", reason)


STARTING = snapshots.starting(builders.job().cancelled())
NEVER_RAN = PodEnd(succeeded=False, disrupted=True, exit_code=137)


def _known(seen: JobSnapshot, **changed: Any) -> JobSnapshot:
    """Its row is known by now, and nobody has claimed it."""
    return replace(seen, **{"run": RunFacts(), **changed})


def test_a_job_that_is_cancelled_while_its_pod_starts_waits_for_its_pod() -> None:
    decision = decide(STARTING, PLATFORM, at(1))
    assert [type(each) for each in decision.actions] == [actions.DeletePod, actions.AskToEnd]
    assert decision.status is None


@pytest.mark.parametrize(
    "seen",
    [
        _known(STARTING, pod=snapshots.pod(STARTING, is_deleting=True, end=NEVER_RAN)),
        _known(STARTING, pod=None),
        _known(STARTING, pod=None, run=RunFacts(closed_reason="Cancelled/Cancelled")),
    ],
    ids=["its pod was seen to end", "its pod is only gone", "its row is closed already"],
)
def test_whatever_was_seen_of_a_pod_that_never_started_its_attempt_is_cancelled(
    seen: JobSnapshot,
) -> None:
    decision = decide(seen, PLATFORM, at(2))
    found = snapshots.follow(seen, decision).status
    closed = actions.CloseRun(seen.key.uid, 1, "Cancelled/Cancelled")
    assert decision.actions[0] == closed
    assert [edge.phase for edge in found.transitions] == ["Queued", "Cancelled"]
    (attempt,) = found.attempts
    assert (attempt.number, attempt.outcome, attempt.reason) == (1, "Cancelled", "Cancelled")
    assert (attempt.token, attempt.started_at) == (1, None)
    told = happenings.of(builders.job().with_status(**found.to_wire()).raw, is_gone=False)
    assert replay.of_job(told) == replay.told_of(found)


def test_a_job_whose_pod_was_refused_never_says_that_there_was_room_when_it_is_cancelled() -> None:
    asked = builders.job().cancelled()
    waits = snapshots.waiting(run=RunFacts(), token=1, refusal="exceeded quota")
    known = snapshots.follow(waits, decide(waits, PLATFORM, NOW))
    seen = replace(known, spec=asked.parsed.spec)
    found = snapshots.follow(seen, decide(seen, PLATFORM, at(9))).status
    assert find(found.conditions, ConditionType.QUOTA_RESERVED) is None
    assert [each.outcome for each in found.attempts] == ["Cancelled"]


@pytest.mark.parametrize("grace", [None, 0])
def test_a_job_that_makes_room_for_a_newer_tick_gives_its_pod_the_time_that_was_said(
    grace: int | None,
) -> None:
    seen = snapshots.running(displaced=Displacement("a newer tick", grace))
    assert seen.pod is not None
    first, *_ = decide(seen, PLATFORM, at(5)).actions
    assert first == actions.DeletePod(seen.key.namespace, seen.pod.name, seen.pod.uid, grace)
    gone = decide(replace(seen, pod=None), PLATFORM, at(7))
    found = snapshots.follow(seen, gone).status
    assert (found.attempts[0].outcome, found.attempts[0].reason) == ("Cancelled", "Displaced")


def test_former_pods_of_a_job_that_is_to_end_are_ended_too() -> None:
    seen = _asked("spec", is_running=False)
    former = snapshots.pod(seen, name="an-older-pod", running_since=CREATED)
    decision = decide(replace(seen, former=(former,)), PLATFORM, NOW)
    assert decision.actions[0] == actions.DeletePod(seen.key.namespace, former.name, former.uid)
    assert decision.status is None


def test_a_result_that_came_before_the_end_was_asked_for_is_kept() -> None:
    seen = replace(_asked("spec", is_running=True), pod=None, run=posted("succeeded", answer="42"))
    found = snapshots.follow(seen, decide(seen, PLATFORM, at(5))).status
    assert found.phase == "Succeeded"
    assert found.result is not None
    assert found.result.answer == "42"


@pytest.mark.parametrize(
    ("end", "phase"),
    [
        (snapshots.WELL, "Succeeded"),
        (replace(snapshots.WELL, disrupted=True), "Cancelled"),
        (snapshots.BADLY, "Cancelled"),
    ],
)
def test_a_program_without_a_result_had_succeeded_only_if_it_ended_by_itself_and_well(
    end: PodEnd, phase: str
) -> None:
    asked = _asked("spec", is_running=True)
    seen = replace(snapshots.ended(end=end), spec=asked.spec)
    decision = decide(seen, PLATFORM, at(21))
    assert snapshots.follow(seen, decision).status.phase == phase


def test_the_end_of_a_former_agent_of_that_name_does_not_end_the_job() -> None:
    before = CREATED - timedelta(seconds=1)
    assert len(decide(snapshots.waiting(agent_deleted_at=before), PLATFORM, NOW).actions) == 2
    seen = snapshots.waiting(agent_deleted_at=CREATED)
    assert len(decide(seen, PLATFORM, NOW).actions) == 2


def test_a_younger_agent_of_that_name_does_not_take_the_job_over() -> None:
    younger = replace(snapshots.agent(), created_at=at(1))
    seen = snapshots.waiting(agent=younger, agent_deleted_at=NOW)
    assert snapshots.follow(seen, decide(seen, PLATFORM, at(2))).status.phase == "Cancelled"


@pytest.mark.parametrize("agent", [None, replace(snapshots.agent(), created_at=at(1))])
def test_no_attempt_is_judged_before_it_is_known_whether_its_agent_was_deleted(
    agent: AgentSeen | None,
) -> None:
    lost = replace(snapshots.running(), pod=None, run=RunFacts(claimed=True), agent=agent)
    waits = decide(replace(lost, is_compared=False), PLATFORM, at(5))
    assert (waits.actions, waits.status) == ((), None)
    assert waits.wake_at == at(5) + LOOK_AGAIN
    known = replace(lost, agent_deleted_at=at(2))
    assert snapshots.follow(known, decide(known, PLATFORM, at(5))).status.phase == "Cancelled"
    assert snapshots.follow(lost, decide(lost, PLATFORM, at(5))).status.phase == "Queued"


def test_an_attempt_whose_agent_is_there_is_judged_at_once() -> None:
    lost = replace(snapshots.running(), pod=None, run=RunFacts(claimed=True), is_compared=False)
    assert snapshots.follow(lost, decide(lost, PLATFORM, at(5))).status.phase == "Queued"


def test_a_job_whose_spec_cannot_be_read_fails_and_says_why() -> None:
    seen = snapshots.waiting(spec=UserError("spec.prompt: missing"))
    decision = decide(seen, PLATFORM, NOW)
    found = snapshots.follow(seen, decision).status
    accepted = find(found.conditions, ConditionType.ACCEPTED)
    assert accepted is not None
    assert (accepted.status, accepted.message) == ("False", "spec.prompt: missing")
    assert (found.phase, decision.actions) == ("Failed", ())
    assert [each.reason for each in decision.notes] == ["Invalid"]


def test_a_running_job_whose_spec_cannot_be_read_has_its_row_closed_and_its_pod_ended() -> None:
    seen = replace(snapshots.running(), spec=UserError("spec.prompt: missing"))
    decision = decide(seen, PLATFORM, at(5))
    assert decision.actions[0] == actions.CloseRun(seen.key.uid, 1, "Failed/Invalid", is_gone=False)
    over = snapshots.follow(seen, decision)
    assert [type(each) for each in decide(over, PLATFORM, at(6)).actions] == [actions.DeletePod]


@pytest.mark.parametrize(
    "seen",
    [
        snapshots.ended(run=None),
        snapshots.running(pod=None, run=None),
        replace(_asked("spec", is_running=True), pod=None, run=None),
        snapshots.running(builders.job().with_spec(timeoutSeconds=60), run=None),
    ],
    ids=["pod ended", "pod gone", "asked to end", "overdue"],
)
def test_without_records_nothing_is_judged(seen: JobSnapshot) -> None:
    decision = decide(replace(seen, records=NO_RECORDS), PLATFORM, at(90))
    known = snapshots.follow(seen, decision)
    assert (decision.actions, decision.wake_at) == ((), at(90) + LOOK_AGAIN)
    assert (known.status.phase, known.status.attempts[0].outcome) == ("Running", None)
    why = find(known.status.conditions, ConditionType.RECORDS_AVAILABLE)
    assert why is not None
    assert why.status == "False"
    assert decide(replace(known, records=NO_RECORDS), PLATFORM, at(95)).status is None


def test_a_job_that_is_cancelled_ends_once_the_records_can_say_whether_it_has_a_row() -> None:
    asked = _asked("spec", is_running=False)
    waits = replace(asked, records=NO_RECORDS)
    decision = decide(waits, PLATFORM, NOW)
    known = snapshots.follow(waits, decision)
    assert (known.status.phase, decision.wake_at) == ("Queued", NOW + LOOK_AGAIN)
    ends = replace(known, records=asked.records, run=RunFacts(), token=1)
    decision = decide(ends, PLATFORM, at(5))
    assert [type(each) for each in decision.actions] == [actions.CloseRun]
    assert snapshots.follow(ends, decision).status.phase == "Cancelled"


def test_a_running_pod_runs_on_without_records() -> None:
    decision = decide(snapshots.running(run=None, records=NO_RECORDS), PLATFORM, at(5))
    assert (decision.actions, decision.status) == ((), None)


def _over(**seen: Any) -> JobSnapshot:
    known = snapshots.ended(KEPT_A_MINUTE)
    decision = decide(known, PLATFORM, at(21))
    return replace(snapshots.follow(known, decision), **seen)


def test_a_job_that_ends_says_when_it_is_to_be_looked_at_again() -> None:
    assert decide(snapshots.ended(KEPT_A_MINUTE), PLATFORM, at(21)).wake_at == at(81)
    assert decide(snapshots.ended(), PLATFORM, at(21)).wake_at is None


def test_a_job_goes_after_its_time_to_live_in_the_version_that_was_seen() -> None:
    seen = _over()
    assert decide(seen, PLATFORM, at(79)).actions == ()
    assert decide(seen, PLATFORM, at(79)).wake_at == at(80)
    key = seen.key
    gone = actions.DeleteJob(key.namespace, key.name, key.uid, seen.metadata.resource_version)
    assert decide(seen, PLATFORM, at(80)).actions == (gone,)


def test_a_job_does_not_go_before_the_records_hold_it() -> None:
    decision = decide(_over(is_recorded=False), PLATFORM, at(80))
    assert (decision.actions, decision.wake_at) == ((), at(81))


def test_a_job_does_not_go_before_its_pods() -> None:
    former = snapshots.pod(snapshots.waiting(), name="an-older-pod", running_since=CREATED)
    decision = decide(_over(former=(former,)), PLATFORM, at(80))
    assert [type(each) for each in decision.actions] == [actions.DeletePod]


def test_a_pod_that_has_ended_goes_with_the_agent_whose_home_it_holds() -> None:
    over = snapshots.pod(snapshots.waiting(), running_since=CREATED, end=snapshots.WELL)
    seen = replace(_over(), done=(over,))
    assert decide(seen, PLATFORM, at(30)).actions == ()
    orphan = replace(seen, agent=None, agent_deleted_at=at(25))
    assert decide(orphan, PLATFORM, at(30)).actions == (
        actions.DeletePod(seen.key.namespace, over.name, over.uid),
    )


def test_a_time_to_live_that_is_set_after_the_end_counts_from_the_end() -> None:
    known = _over()
    newer = known.metadata.model_copy(update={"generation": 2})
    seen = replace(known, metadata=newer)
    decision = decide(seen, PLATFORM, at(30))
    found = snapshots.follow(seen, decision).status
    assert decision.wake_at == at(80)
    assert found.observed_generation == 2
    assert {each.observed_generation for each in found.conditions} == {2}
    assert found.finished_at == instants.text(at(20))
