"""From the pod of an attempt to the next attempt, or to the end of the Job."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.job import Attempt, JobPhase
from coxswain.reconcile import actions, instants
from coxswain.reconcile.decision import Decision
from coxswain.rules.outcome import PodEnd, RunFacts
from coxswain.rules.retry import LOST_LIMIT
from coxswain_controllers.job.decide import DEADLINE_GRACE, LONG_WAIT, decide
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, snapshots
from tests.support.snapshots import BADLY, CLAIMED, NOW, PLATFORM, WELL, at, posted

TWICE = builders.job().with_command("make").with_attempts(2, backoffSeconds=30)
SHORT = builders.job().with_spec(timeoutSeconds=60)
STARVED = PodEnd(succeeded=False, exit_code=137, container_reason="OOMKilled")
TAKEN = PodEnd(succeeded=False, exit_code=143, disrupted=True)
LATE = PodEnd(succeeded=False, pod_reason="DeadlineExceeded")
IN_AN_ACT = RunFacts(claimed=True, acts_open=("send mail",))
PULL = snapshots.condition(ConditionType.POD_STARTED, "False", "ImagePull", "no such image")

ENDS = {
    "an answer": (WELL, posted("succeeded", answer="42"), "Succeeded", "Completed"),
    "an answer before a crash": (BADLY, posted("succeeded"), "Succeeded", "Completed"),
    "a refusal": (WELL, posted("failed", reason="PROVIDER_PAYMENT"), "Failed", "PROVIDER_PAYMENT"),
    "a good exit": (WELL, CLAIMED, "Succeeded", "Completed"),
    "a bad exit": (BADLY, CLAIMED, "Failed", "ExitCode"),
    "a bad exit before its claim": (BADLY, RunFacts(), "Failed", "ExitCode"),
    "a deadline": (LATE, CLAIMED, "Failed", "Timeout"),
    "no memory": (STARVED, CLAIMED, "Failed", "OutOfMemory"),
    "no memory by its result": (
        STARVED,
        posted("failed", exit_code=-9),
        "Failed",
        "OutOfMemory",
    ),
    "a verdict of before a restart": (
        BADLY,
        RunFacts(claimed=True, closed_reason="Failed/Timeout"),
        "Failed",
        "Timeout",
    ),
}


def _last(snapshot: JobSnapshot, decision: Decision) -> Attempt:
    return snapshots.follow(snapshot, decision).status.attempts[-1]


def _gone(known: JobSnapshot, **seen: Any) -> JobSnapshot:
    return replace(known, pod=None, **seen)


def test_a_running_pod_makes_the_job_running_with_an_entry_of_its_attempt() -> None:
    seen = replace(snapshots.starting(running_since=at(2)), run=CLAIMED)
    decision = decide(seen, PLATFORM, at(3))
    found = snapshots.follow(seen, decision).status
    assert decision.actions == ()
    assert (found.phase, found.attempt, found.attempts_used) == (JobPhase.RUNNING, 1, 0)
    assert found.started_at == instants.text(at(2))
    assert [each.phase for each in found.transitions] == ["Queued", "Running"]
    (entry,) = found.attempts
    assert seen.pod is not None
    assert (entry.number, entry.pod_uid, entry.token) == (1, seen.pod.uid, 1)
    assert (entry.started_at, entry.outcome) == (instants.text(at(2)), None)


def test_a_running_job_is_written_once_and_wakes_when_it_is_overdue() -> None:
    decision = decide(snapshots.running(SHORT), PLATFORM, at(5))
    assert (decision.status, decision.actions) == (None, ())
    assert decision.wake_at == at(60) + DEADLINE_GRACE


def test_a_running_pod_whose_row_is_lost_has_it_written_again() -> None:
    decision = decide(snapshots.running(run=None), PLATFORM, at(5))
    (again,) = decision.actions
    assert isinstance(again, actions.RestoreRun)
    assert decision.wake_at == at(5)
    assert (again.pod_uid, again.token) == (snapshots.running().pod.uid, 1)  # type: ignore[union-attr]


@pytest.mark.parametrize(("end", "run", "phase", "reason"), ENDS.values(), ids=ENDS)
def test_an_ended_pod_closes_its_row_and_ends_the_job(
    end: PodEnd, run: RunFacts, phase: str, reason: str
) -> None:
    seen = snapshots.ended(end=end, run=run)
    decision = decide(seen, PLATFORM, at(21))
    close, *log = decision.actions
    has_result = run.result is not None
    assert close == actions.CloseRun(seen.key.uid, 1, f"{phase}/{reason}", has_result)
    assert [type(each) for each in log] == ([] if has_result else [actions.KeepLog])
    found = snapshots.follow(seen, decision).status
    assert (found.phase, found.attempts_used) == (phase, 1)
    assert found.finished_at == instants.text(at(20))
    assert found.transitions[-1].reason == reason
    entry = _last(seen, decision)
    assert (entry.outcome, entry.reason) == (phase, reason)
    assert entry.finished_at == instants.text(at(20))
    assert bool(decision.notes) == (phase == "Failed")


def test_the_answer_and_the_exit_code_stand_in_the_status() -> None:
    seen = snapshots.ended(end=WELL, run=posted("succeeded", answer="4" * 5000, exit_code=0))
    result = snapshots.follow(seen, decide(seen, PLATFORM, at(21))).status.result
    assert result is not None
    assert (len(result.answer or ""), result.truncated, result.exit_code) == (4096, True, 0)


def test_a_pod_that_came_and_went_unseen_has_its_whole_history_told() -> None:
    known = snapshots.starting(running_since=at(1), ended_at=at(2), end=WELL)
    found = snapshots.follow(known, decide(replace(known, run=CLAIMED), PLATFORM, at(3))).status
    assert [each.phase for each in found.transitions] == ["Queued", "Running", "Succeeded"]
    assert [each.number for each in found.attempts] == [1]


def test_an_ended_job_stays_as_it_is() -> None:
    seen = snapshots.ended()
    over = snapshots.follow(seen, decide(seen, PLATFORM, at(21)))
    assert decide(over, PLATFORM, at(22)) == Decision()


@pytest.mark.parametrize("end", [BADLY, STARVED, LATE])
def test_a_failed_attempt_with_another_left_waits_out_its_back_off(end: PodEnd) -> None:
    seen = snapshots.ended(TWICE, end)
    decision = decide(seen, PLATFORM, at(21))
    found = snapshots.follow(seen, decision).status
    assert isinstance(decision.actions[0], actions.CloseRun)
    assert (found.phase, found.attempts_used, found.finished_at) == ("Queued", 1, None)
    assert decision.wake_at is not None
    assert at(21) <= decision.wake_at <= at(51)
    assert found.retry_at == instants.text(decision.wake_at)
    back_off = find(found.conditions, ConditionType.BACK_OFF)
    assert back_off is not None
    assert (back_off.status, back_off.reason) == ("False", found.attempts[0].reason)


def test_the_second_attempt_starts_when_it_is_due_and_not_before() -> None:
    seen = snapshots.ended(TWICE)
    first = decide(seen, PLATFORM, at(21))
    assert first.wake_at is not None
    next_one = _gone(snapshots.follow(seen, first), run=None)
    early = decide(next_one, PLATFORM, first.wake_at - timedelta(seconds=1))
    assert (early.actions, early.wake_at) == ((), first.wake_at)
    row, _ = decide(next_one, PLATFORM, first.wake_at).actions
    assert isinstance(row, actions.OpenRun)
    assert row.document.attempt == 2


def test_the_last_attempt_ends_the_job() -> None:
    used = TWICE.with_status(attemptsUsed=1)
    seen = snapshots.ended(used)
    found = snapshots.follow(seen, decide(seen, PLATFORM, at(21))).status
    assert (found.phase, found.attempts_used, found.retry_at) == ("Failed", 2, None)


def test_what_would_fail_again_is_not_tried_again() -> None:
    seen = snapshots.ended(TWICE, run=posted("failed", reason="PROVIDER_PAYMENT", transient=True))
    assert snapshots.follow(seen, decide(seen, PLATFORM, at(21))).status.phase == "Failed"


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_pod_that_was_taken_away_uses_no_attempt(is_seen: bool) -> None:
    seen = snapshots.ended(end=TAKEN) if is_seen else _gone(snapshots.running())
    decision = decide(seen, PLATFORM, at(21))
    found = snapshots.follow(seen, decision).status
    assert (found.phase, found.attempts_used) == ("Queued", 0)
    assert _last(seen, decision).outcome == "Lost"
    assert decision.wake_at == at(21)
    assert decision.actions[0] == actions.CloseRun(seen.key.uid, 1, "Lost/PodLost")


@pytest.mark.parametrize(
    ("lost", "phase"), [(LOST_LIMIT - 2, "Queued"), (LOST_LIMIT - 1, "Failed")]
)
def test_pods_that_are_taken_away_again_and_again_end_the_job(lost: int, phase: str) -> None:
    former = [
        {"number": number, "podName": f"pod-{number}", "outcome": "Lost"}
        for number in range(1, lost + 1)
    ]
    job = builders.job().with_status(phase="Queued", attempt=lost, attempts=former)
    seen = snapshots.ended(job, TAKEN)
    found = snapshots.follow(seen, decide(seen, PLATFORM, at(21))).status
    assert (found.phase, found.transitions[-1].reason) == (phase, "PodLost")
    assert found.attempts_used == 0


def test_an_act_whose_outcome_nobody_knows_is_not_tried_again() -> None:
    job = builders.job().with_attempts(3)
    for end in (TAKEN, BADLY):
        seen = snapshots.ended(job, end, run=IN_AN_ACT)
        decision = decide(seen, PLATFORM, at(21))
        assert _last(seen, decision).reason == "OutcomeUnknown"
        assert snapshots.follow(seen, decision).status.phase == "Review"
        assert "send mail" in decision.notes[0].message


def test_an_act_of_a_command_that_may_be_repeated_is_tried_again() -> None:
    seen = snapshots.ended(TWICE, TAKEN, run=IN_AN_ACT)
    assert snapshots.follow(seen, decide(seen, PLATFORM, at(21))).status.phase == "Queued"


def test_a_run_whose_row_and_pod_are_gone_ends_with_an_unknown_outcome() -> None:
    seen = _gone(snapshots.running(), run=None)
    assert _last(seen, decide(seen, PLATFORM, at(9))).reason == "OutcomeUnknown"


def test_a_row_that_no_pod_came_for_gets_its_pod() -> None:
    decision = decide(snapshots.waiting(run=RunFacts(), token=1), PLATFORM, NOW)
    assert [type(each) for each in decision.actions] == [actions.OpenRun, actions.CreatePod]


def test_a_pod_that_runs_past_its_timeout_is_ended_after_its_row_is_closed() -> None:
    seen = snapshots.running(SHORT)
    assert decide(seen, PLATFORM, at(69)).actions == ()
    decision = decide(seen, PLATFORM, at(70))
    assert decision.actions[0] == actions.CloseRun(seen.key.uid, 1, "Failed/Timeout", is_gone=False)
    assert isinstance(decision.actions[1], actions.DeletePod)
    assert _last(seen, decision).reason == "Timeout"


def test_a_result_that_was_posted_in_time_wins_over_a_pod_that_runs_on() -> None:
    seen = snapshots.running(SHORT, run=posted("succeeded"))
    decision = decide(seen, PLATFORM, at(70))
    assert snapshots.follow(seen, decision).status.phase == "Succeeded"
    assert isinstance(decision.actions[-1], actions.DeletePod)


def test_a_pod_that_waits_for_its_image_says_so_once_after_a_while() -> None:
    seen = snapshots.starting(waits_for=PULL)
    assert decide(seen, PLATFORM, NOW).status is None
    decision = decide(seen, PLATFORM, NOW + LONG_WAIT)
    known = snapshots.follow(seen, decision)
    shown = find(known.status.conditions, ConditionType.POD_STARTED)
    assert shown is not None
    assert (known.status.phase, shown.reason) == ("Queued", "ImagePull")
    again = decide(known, PLATFORM, at(9))
    assert (again.status, again.notes, again.wake_at) == (None, (), at(300))


def test_a_pod_that_does_not_start_in_time_is_given_up_with_what_it_waited_for() -> None:
    for waits_for, reason in ((PULL, "ImagePull"), (None, "StartTimeout")):
        seen = snapshots.starting(waits_for=waits_for)
        assert decide(seen, PLATFORM, at(299)).actions == ()
        decision = decide(seen, PLATFORM, at(300))
        kinds = [type(each) for each in decision.actions]
        assert kinds == [actions.CloseRun, actions.DeletePod]
        assert _last(seen, decision).reason == reason
        assert snapshots.follow(seen, decision).status.phase == "Failed"
