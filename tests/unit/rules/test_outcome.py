"""What an attempt came to, as a table of pod and run row."""

from dataclasses import replace

import pytest

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.rules import outcome
from coxswain.rules.outcome import Ended, PodEnd, RunFacts

WELL = PodEnd(succeeded=True, exit_code=0)
BADLY = PodEnd(succeeded=False, exit_code=3)
KILLED = PodEnd(succeeded=False, exit_code=137, container_reason="OOMKilled")
EVICTED = PodEnd(succeeded=False, pod_reason="Evicted", message="disk")
DRAINED = PodEnd(succeeded=False, pod_reason="Evicted", disrupted=True)
LATE = PodEnd(succeeded=False, pod_reason="DeadlineExceeded")
TOLD = PodEnd(succeeded=False, exit_code=143, disrupted=True)
WELL_BUT_STARVED = PodEnd(succeeded=True, exit_code=0, container_reason="OOMKilled")

NOBODY = RunFacts()
CLAIMED = RunFacts(claimed=True)
IN_AN_ACT = RunFacts(claimed=True, acts_open=("send mail",))


def _posted(status: str, **more: object) -> RunFacts:
    return RunFacts(claimed=True, result=RunResult(status=ResultStatus(status), **more))


GOOD = _posted("succeeded", answer="42")
BAD = _posted("failed", reason="PROVIDER_PAYMENT", message="no money")
SHOT = _posted("failed", exit_code=-9)
TERMINATED = _posted("failed", reason="Terminated")
TIMED_OUT_BEFORE = RunFacts(claimed=True, closed_reason="Failed/Timeout")


@pytest.mark.parametrize(
    ("pod", "run", "wanted"),
    [
        # A posted result wins over whatever became of the pod.
        (WELL, GOOD, "Succeeded/Completed"),
        (BADLY, GOOD, "Succeeded/Completed"),
        (None, GOOD, "Succeeded/Completed"),
        (DRAINED, GOOD, "Succeeded/Completed"),
        (WELL_BUT_STARVED, GOOD, "Succeeded/Completed"),
        (WELL, BAD, "Failed/PROVIDER_PAYMENT"),
        (WELL, _posted("failed"), "Failed/AgentFailed"),
        (KILLED, SHOT, "Failed/OutOfMemory"),
        (BADLY, SHOT, "Failed/AgentFailed"),
        # That it was told to end is no result of its own.
        (BADLY, TERMINATED, "Failed/ExitCode"),
        (TOLD, TERMINATED, "Lost/PodLost"),
        (LATE, TERMINATED, "Failed/Timeout"),
        # A verdict that closed the row stays, over a crash and over the pod that was then ended.
        (TOLD, TIMED_OUT_BEFORE, "Failed/Timeout"),
        (None, TIMED_OUT_BEFORE, "Failed/Timeout"),
        (None, RunFacts(claimed=True, closed_reason="Deleted"), "Lost/PodLost"),
        # Taken away.
        (None, CLAIMED, "Lost/PodLost"),
        (DRAINED, CLAIMED, "Lost/PodLost"),
        (TOLD, CLAIMED, "Lost/PodLost"),
        (None, IN_AN_ACT, "Failed/OutcomeUnknown"),
        (DRAINED, IN_AN_ACT, "Failed/OutcomeUnknown"),
        # Its own end.
        (WELL, NOBODY, "Succeeded/Completed"),
        (BADLY, NOBODY, "Failed/ExitCode"),
        (KILLED, CLAIMED, "Failed/OutOfMemory"),
        (EVICTED, CLAIMED, "Failed/Evicted"),
        (LATE, CLAIMED, "Failed/Timeout"),
        (WELL_BUT_STARVED, NOBODY, "Succeeded/Completed"),
    ],
)
def test_how_an_attempt_ended(pod: PodEnd | None, run: RunFacts, wanted: str) -> None:
    judged = outcome.judge(pod, run, timed_out=False, repeatable=False)
    assert outcome.verdict(judged) == wanted


def test_a_lost_pod_whose_time_was_over_timed_out() -> None:
    assert outcome.judge(None, CLAIMED, timed_out=True, repeatable=False).reason == "Timeout"


def test_an_open_act_of_a_repeatable_run_is_only_a_lost_pod() -> None:
    assert outcome.judge(None, IN_AN_ACT, timed_out=False, repeatable=True).outcome == "Lost"


def test_only_a_lost_pod_uses_no_attempt() -> None:
    assert not Ended("Lost", "PodLost").uses_attempt
    assert Ended("Failed", "Evicted").uses_attempt
    assert Ended("Cancelled", "Cancelled").uses_attempt


def test_a_process_that_ran_out_of_memory_on_the_way_is_noted() -> None:
    judged = outcome.judge(WELL_BUT_STARVED, GOOD, timed_out=False, repeatable=False)
    assert "out of memory" in judged.message
    assert judged.answer == "42"


def test_a_judgement_after_a_crash_keeps_exit_code_and_message() -> None:
    before = outcome.judge(BADLY, CLAIMED, timed_out=False, repeatable=False)
    closed = RunFacts(claimed=True, closed_reason=outcome.verdict(before))
    assert outcome.judge(BADLY, closed, timed_out=False, repeatable=False) == before


def test_every_verdict_is_read_back_as_it_was() -> None:
    for judged in (Ended("Failed", "Timeout"), Ended("Lost", "DoorMoved")):
        run = RunFacts(closed_reason=outcome.verdict(judged))
        assert outcome.judge(TOLD, run, timed_out=False, repeatable=False) == judged


@pytest.mark.parametrize("transient", [True, False])
def test_the_run_itself_says_whether_trying_again_may_help(transient: bool) -> None:
    run = _posted("failed", transient=transient)
    judged = outcome.judge(BADLY, run, timed_out=False, repeatable=False)
    assert judged.is_final is not transient


COUNTS = {"type": "object", "required": ["n"]}
LEFT = {"status": ResultStatus.FAILED, "reason": "Terminated"}


def _typed(**result: object) -> RunFacts:
    told = RunResult(**{**LEFT, **result}) if result else None
    return RunFacts(claimed=True, result=told, output_schema=COUNTS)


def _said(**result: object) -> str:
    return RunResult(**{**LEFT, **result}).model_dump_json(by_alias=True)


@pytest.mark.parametrize(
    ("pod", "run", "wanted", "output"),
    [
        # What a program beside our door left counts where its exit code is 0.
        (WELL, _typed(output='{"n": 3}'), "Succeeded/Completed", '{"n": 3}'),
        (WELL, _typed(output='{"m": 3}'), "Failed/OutputInvalid", None),
        (WELL, _typed(), "Failed/OutputInvalid", None),
        (BADLY, _typed(output='{"n": 3}'), "Failed/ExitCode", None),
        (KILLED, _typed(output='{"n": 3}'), "Failed/OutOfMemory", None),
        (TOLD, _typed(output='{"n": 3}'), "Lost/PodLost", None),
        # The door's last word, where the platform was away.
        (replace(WELL, told=_said(output='{"n": 3}')), _typed(), "Succeeded/Completed", '{"n": 3}'),
        (replace(WELL, told="a log"), _typed(), "Failed/OutputInvalid", None),
        (replace(WELL, told=_said(output='{"n": 3}')), CLAIMED, "Succeeded/Completed", '{"n": 3}'),
        # It is no result: the program's own word, and the one in the row, go before it.
        (
            replace(WELL, told=_said(output='{"n": 3}')),
            _typed(status=ResultStatus.FAILED, reason="Own"),
            "Failed/Own",
            None,
        ),
        (
            replace(
                WELL, told=_said(), message='{"status": "succeeded", "output": "{\\"n\\": 1}"}'
            ),
            _typed(),
            "Succeeded/Completed",
            '{"n": 1}',
        ),
    ],
)
def test_what_a_program_beside_our_door_left_as_its_output(
    pod: PodEnd, run: RunFacts, wanted: str, output: str | None
) -> None:
    judged = outcome.judge(pod, run, timed_out=False, repeatable=False)
    assert (outcome.verdict(judged), judged.output) == (wanted, output)


def test_an_output_that_cannot_be_taken_says_why() -> None:
    run = _typed(message="output: this is not JSON")
    judged = outcome.judge(WELL, run, timed_out=False, repeatable=False)
    assert (judged.reason, judged.message, judged.is_final) == (
        "OutputInvalid",
        "output: this is not JSON",
        True,
    )


def test_a_termination_message_of_any_length_is_cut_not_refused() -> None:
    judged = outcome.judge(
        replace(WELL, message="x" * 9000), CLAIMED, timed_out=False, repeatable=False
    )
    assert len(judged.message) == outcome.MESSAGE_CHARACTERS
