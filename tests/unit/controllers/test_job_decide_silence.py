"""A worker of which nobody hears: said first, given up only where its node is silent too."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.reconcile import actions
from coxswain.rules.outcome import RunFacts
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.silence import GIVEN_UP_AFTER, SAID_AFTER
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, snapshots
from tests.support.snapshots import NOW, PLATFORM, at, posted

SAID = SAID_AFTER.total_seconds()
GIVEN_UP = GIVEN_UP_AFTER.total_seconds()
LONG = builders.job().with_spec(timeoutSeconds=7200)
HEARD = RunFacts(claimed=True, heard_at=NOW)


def _running(heard: RunFacts = HEARD, **pod: Any) -> JobSnapshot:
    seen = snapshots.running(LONG, run=heard)
    assert seen.pod is not None
    return replace(seen, pod=replace(seen.pod, **pod))


def _reason(snapshot: JobSnapshot) -> str:
    found = find(snapshot.status.conditions, ConditionType.READY)
    assert found is not None
    return found.reason


def test_while_its_heartbeat_is_heard_nothing_is_written() -> None:
    decision = decide(_running(), PLATFORM, at(60))
    assert (decision.status, decision.actions, decision.wake_at) == (None, (), at(SAID))


def test_a_silent_heartbeat_is_said_once_and_taken_back_when_it_is_heard() -> None:
    seen = _running()
    decision = decide(seen, PLATFORM, at(SAID))
    known = snapshots.follow(seen, decision)
    assert (known.status.phase, _reason(known)) == ("Running", "HeartbeatSilent")
    assert [note.reason for note in decision.notes] == ["HeartbeatSilent"]
    assert (decision.actions, decision.wake_at) == ((), at(2 * SAID))
    assert decide(known, PLATFORM, at(SAID + 1)).status is None
    heard = replace(known, run=replace(HEARD, heard_at=at(SAID + 5)))
    again = snapshots.follow(heard, decide(heard, PLATFORM, at(SAID + 6)))
    assert _reason(again) == "Running"


def test_silence_alone_ends_nothing_before_the_timeout() -> None:
    assert decide(_running(), PLATFORM, at(7000)).actions == ()


@pytest.mark.parametrize("pod", [{"is_cut_off": True}, {"is_deleting": True}])
def test_a_worker_out_of_reach_is_given_up_and_fenced_before_another_may_start(
    pod: dict[str, Any],
) -> None:
    seen = _running(**pod)
    assert decide(seen, PLATFORM, at(GIVEN_UP - 1)).actions == ()
    decision = decide(seen, PLATFORM, at(GIVEN_UP))
    close, end = decision.actions
    assert close == actions.CloseRun(seen.key.uid, 1, "Lost/WorkerLost", is_gone=False)
    assert isinstance(end, actions.DeletePod)
    known = snapshots.follow(seen, decision)
    assert (known.status.phase, known.status.attempts_used) == ("Queued", 0)
    assert known.status.attempts[0].reason == "WorkerLost"
    assert seen.pod is not None
    waits = replace(known, pod=None, run=None, former=(replace(seen.pod, is_deleting=True),))
    held = decide(waits, PLATFORM, at(GIVEN_UP + 1))
    assert held.actions == ()
    shown = find(snapshots.follow(waits, held).status.conditions, ConditionType.SANDBOX_READY)
    assert shown is not None
    assert shown.reason == "FormerPodEnding"
    row, _ = decide(replace(waits, former=()), PLATFORM, at(GIVEN_UP + 2)).actions
    assert isinstance(row, actions.OpenRun)
    assert row.document.attempt == 2


def test_a_worker_lost_in_the_middle_of_an_act_leaves_an_unknown_outcome() -> None:
    seen = _running(replace(HEARD, acts_open=("send mail",)), is_cut_off=True)
    known = snapshots.follow(seen, decide(seen, PLATFORM, at(GIVEN_UP)))
    assert (known.status.phase, known.status.attempts[0].reason) == ("Review", "OutcomeUnknown")


def test_a_result_that_was_posted_before_the_silence_is_waited_for() -> None:
    heard = replace(posted("succeeded"), heard_at=NOW)
    assert decide(_running(heard, is_cut_off=True), PLATFORM, at(GIVEN_UP)).actions == ()


def test_while_the_records_are_away_nobody_counts_as_silent() -> None:
    seen = replace(_running(is_cut_off=True), run=None, records=snapshots.NO_RECORDS)
    assert decide(seen, PLATFORM, at(GIVEN_UP)).actions == ()


def test_a_pod_that_is_to_go_and_does_not_is_given_up_after_its_timeout() -> None:
    short = builders.job().with_spec(timeoutSeconds=60)
    seen = snapshots.running(short)
    assert seen.pod is not None
    stuck = replace(seen, pod=replace(seen.pod, is_deleting=True))
    assert decide(stuck, PLATFORM, at(60)).actions == ()
    known = snapshots.follow(stuck, decide(stuck, PLATFORM, at(70)))
    assert known.status.attempts[0].reason == "Timeout"
