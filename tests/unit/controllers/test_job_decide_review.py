"""A Job whose attempt ended without telling what follows: a person decides, or a declared rule."""

import json
from dataclasses import replace
from typing import Any

import pytest

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen, find
from coxswain.api.job import JobStatus
from coxswain.reconcile import actions
from coxswain.rules.outcome import RunFacts
from coxswain_controllers.job import aside
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, snapshots
from tests.support.builders import JobBuilder
from tests.support.snapshots import BADLY, CLAIMED, NOW, PLATFORM, WELL, at, posted

IN_AN_ACT = RunFacts(claimed=True, acts_open=("send mail",))
PLAIN = builders.job()
ASKS = builders.job().with_spec(review={"required": True})


def _in_review(job: JobBuilder = PLAIN) -> JobSnapshot:
    """The pod is gone in the middle of an act; nothing is there any more."""
    seen = replace(snapshots.running(job), pod=None, run=IN_AN_ACT)
    return replace(snapshots.follow(seen, decide(seen, PLATFORM, at(20))), run=None)


def _says(snapshot: JobSnapshot, text: str | None = None, **said: Any) -> JobSnapshot:
    word = {"attempt": 1, "decision": "retry", "by": "ada", **said}
    annotations = {names.ANNOTATION_REVIEW: text if text is not None else json.dumps(word)}
    return replace(
        snapshot, metadata=snapshot.metadata.model_copy(update={"annotations": annotations})
    )


def _ready(status: JobStatus) -> tuple[str, str, str]:
    found = find(status.conditions, ConditionType.READY)
    assert found is not None
    return found.status, found.reason, found.message


def test_an_unknown_outcome_leads_to_review_and_says_who_can_do_what() -> None:
    seen = replace(snapshots.running(), pod=None, run=IN_AN_ACT)
    decision = decide(seen, PLATFORM, at(20))
    found = snapshots.follow(seen, decision).status
    assert decision.actions == (actions.CloseRun(seen.key.uid, 1, "Failed/OutcomeUnknown"),)
    assert [each.phase for each in found.transitions] == ["Queued", "Running", "Review"]
    assert found.transitions[-1].reason == "OutcomeUnknown"
    assert (found.phase, found.finished_at, found.attempts_used) == ("Review", None, 1)
    assert found.attempts[0].outcome == "Failed"
    status, reason, message = _ready(found)
    assert (status, reason) == ("False", "OutcomeUnknown")
    assert "send mail" in message
    assert names.ANNOTATION_REVIEW in message
    assert [note.reason for note in decision.notes] == ["OutcomeUnknown"]


def test_in_review_nothing_happens_and_nobody_is_kept_waiting() -> None:
    seen = _in_review()
    decision = decide(seen, PLATFORM, at(4000))
    assert (decision.status, decision.actions, decision.wake_at) == (None, (), None)
    assert aside.stands_aside(seen)
    assert not aside.stands_aside(snapshots.waiting())


@pytest.mark.parametrize(
    ("said", "phase"),
    [("succeed", "Succeeded"), ("fail", "Failed"), ("cancel", "Cancelled")],
)
def test_a_persons_word_ends_the_job_and_stands_in_its_history(said: str, phase: str) -> None:
    seen = _says(_in_review(), decision=said, why="I looked")
    decision = decide(seen, PLATFORM, at(100))
    found = snapshots.follow(seen, decision).status
    assert (found.phase, found.attempts_used) == (phase, 1)
    last = found.transitions[-1]
    assert (last.phase, last.reason) == (phase, "Reviewed")
    assert last.message == f"{said}, decided by ada: I looked"
    assert found.finished_at == last.at


def test_a_retry_that_a_person_wants_is_made_whatever_the_spec_allows() -> None:
    seen = _says(_in_review(), why="not sent")
    decision = decide(seen, PLATFORM, at(100))
    again = snapshots.follow(seen, decision)
    assert (again.status.phase, decision.wake_at) == ("Queued", at(100))
    assert again.status.transitions[-1].message == "retry, decided by ada: not sent"
    row, pod = decide(again, PLATFORM, at(100)).actions
    assert isinstance(row, actions.OpenRun)
    assert isinstance(pod, actions.CreatePod)
    assert row.document.attempt == 2


def test_a_decision_about_a_former_attempt_counts_no_more_and_is_said_so_once() -> None:
    again = snapshots.follow(seen := _says(_in_review()), decide(seen, PLATFORM, at(100)))
    second = replace(again, run=IN_AN_ACT, token=2)
    ended = replace(snapshots.follow(second, decide(second, PLATFORM, at(200))), run=None)
    assert (ended.status.phase, ended.status.attempt) == ("Review", 2)
    first = decide(ended, PLATFORM, at(201))
    assert [note.reason for note in first.notes] == ["ReviewIgnored"]
    known = snapshots.follow(ended, first)
    assert known.status.phase == "Review"
    assert "attempt 1 and counts no more" in _ready(known.status)[2]
    assert decide(known, PLATFORM, at(300)).status is None


@pytest.mark.parametrize(
    "text", ["please", "{}", "[]", '{"attempt": 1, "decision": "perhaps", "by": "ada"}']
)
def test_a_word_that_nobody_understands_decides_nothing_and_is_named(text: str) -> None:
    seen = _says(_in_review(), text)
    known = snapshots.follow(seen, decide(seen, PLATFORM, at(100)))
    assert known.status.phase == "Review"
    assert "the annotation is not understood" in _ready(known.status)[2]


def test_a_word_that_was_there_before_the_review_counts_at_once() -> None:
    seen = _says(replace(snapshots.running(), pod=None, run=IN_AN_ACT), decision="succeed")
    decision = decide(seen, PLATFORM, at(20))
    assert decision.wake_at == at(20)
    known = snapshots.follow(seen, decision)
    assert snapshots.follow(known, decide(known, PLATFORM, at(20))).status.phase == "Succeeded"


@pytest.mark.parametrize(
    "records", [_in_review().records, snapshots.NO_RECORDS], ids=["there", "away"]
)
def test_a_job_in_review_can_be_cancelled_like_any_other_and_has_no_row_to_close(
    records: Seen,
) -> None:
    seen = _in_review()
    spec = seen.valid_spec.model_copy(update={"cancel": True})
    decision = decide(replace(seen, spec=spec, records=records), PLATFORM, at(100))
    assert snapshots.follow(seen, decision).status.phase == "Cancelled"


@pytest.mark.parametrize(
    ("rule", "most", "phase"),
    [("Fail", 1, "Failed"), ("Retry", 2, "Queued"), ("Retry", 1, "Failed"), ("Ask", 2, "Review")],
)
def test_a_declared_rule_decides_in_place_of_a_person(rule: str, most: int, phase: str) -> None:
    job = builders.job().with_attempts(most).with_spec(review={"onUnknown": rule})
    seen = replace(snapshots.running(job), pod=None, run=IN_AN_ACT)
    found = snapshots.follow(seen, decide(seen, PLATFORM, at(20))).status
    assert (found.phase, found.attempts[0].reason) == (phase, "OutcomeUnknown")


def test_a_job_that_wants_a_persons_word_keeps_its_answer_until_that_comes() -> None:
    seen = snapshots.ended(ASKS, WELL, run=posted("succeeded", answer="42"))
    known = snapshots.follow(seen, decide(seen, PLATFORM, at(21)))
    assert (known.status.phase, known.status.attempts[0].outcome) == ("Review", "Succeeded")
    assert _ready(known.status)[1] == "ReviewRequested"
    word = _says(replace(known, pod=None, run=None), decision="succeed")
    found = snapshots.follow(word, decide(word, PLATFORM, at(100))).status
    assert found.result is not None
    assert (found.phase, found.result.answer) == ("Succeeded", "42")


def test_a_job_that_wants_a_persons_word_fails_without_one() -> None:
    seen = snapshots.ended(ASKS, BADLY, run=CLAIMED)
    assert snapshots.follow(seen, decide(seen, PLATFORM, at(21))).status.phase == "Failed"


def test_an_overdue_pod_in_the_middle_of_an_act_is_not_followed_blindly() -> None:
    job = builders.job().with_attempts(3).with_spec(timeoutSeconds=60)
    seen = snapshots.running(job, run=IN_AN_ACT)
    decision = decide(seen, PLATFORM, at(70))
    found = snapshots.follow(seen, decision).status
    assert (found.phase, found.attempts[0].reason) == ("Review", "OutcomeUnknown")
    assert [type(each) for each in decision.actions] == [actions.CloseRun, actions.DeletePod]


def test_a_review_waits_on_while_the_clock_runs_and_the_agent_is_away() -> None:
    seen = replace(_in_review(), agent=None, records=snapshots.NO_RECORDS)
    assert decide(seen, PLATFORM, NOW).status is None
