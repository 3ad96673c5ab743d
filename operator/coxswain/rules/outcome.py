"""How an attempt ended, from what its pod and its run row say.

What wins, in this order: a posted result; a verdict that closed the run row; that the pod was
taken away; the pod's own end (deadline, eviction, out of memory, exit code). A program that was
told to end says so; that is no result of its own, so why it was told decides.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.rules import job_types

Outcome = Literal["Succeeded", "Failed", "Cancelled", "Lost"]
KILLED = (-9, 137)
TERMINATED = "Terminated"
MESSAGE_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class PodEnd:
    """What a pod that will not run again says of its end."""

    succeeded: bool
    disrupted: bool = False
    pod_reason: str = ""
    container_reason: str = ""
    exit_code: int | None = None
    message: str = ""
    told: str = ""
    """The last word of the door beside an image of its own."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the run row says."""

    claimed: bool = False
    result: RunResult | None = None
    acts_open: tuple[str, ...] = ()
    closed_reason: str | None = None
    heard_at: datetime | None = None
    """When the worker last said that it lives."""
    output_schema: dict[str, Any] | None = None
    """What the Job's type asks of the output; a posted result was checked when it was posted."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The judgement on one attempt."""

    outcome: Outcome
    reason: str
    message: str = ""
    exit_code: int | None = None
    answer: str | None = None
    output: str | None = None
    """JSON text."""
    is_final: bool = False
    """Whether the run itself said that trying again would not help."""
    is_lost: bool = False
    """Whether the Job fails because its pods were taken away too often."""

    @property
    def uses_attempt(self) -> bool:
        """A pod that was taken away through no fault of its own uses no attempt."""
        return self.outcome != "Lost" and not self.is_lost


def verdict(ended: Ended) -> str:
    """How a judgement is kept in the run row, so that a restart comes to the same one."""
    return f"{ended.outcome}/{ended.reason}"


def judge(pod: PodEnd | None, run: RunFacts, *, timed_out: bool, repeatable: bool) -> Ended:
    """Judge an attempt whose pod has ended, or is gone (None)."""
    if run.result is not None and run.result.reason != TERMINATED:
        return _by_result(run.result, pod)
    natural = _without_result(pod, run, timed_out=timed_out, repeatable=repeatable)
    if run.closed_reason is None or "/" not in run.closed_reason:
        return natural
    if run.closed_reason == verdict(natural):
        return natural
    outcome, reason = run.closed_reason.split("/", 1)
    return Ended(outcome=outcome, reason=reason)  # type: ignore[arg-type]  # written by verdict


def _without_result(
    pod: PodEnd | None, run: RunFacts, *, timed_out: bool, repeatable: bool
) -> Ended:
    if pod is None or pod.disrupted:
        return _taken_away(run, timed_out=timed_out, repeatable=repeatable)
    return _by_pod(pod, run)


def unknown(run: RunFacts, *, repeatable: bool) -> bool:
    """Whether an act with side effects began and nobody knows whether it ended."""
    told = run.result is None or run.result.reason == TERMINATED
    return bool(run.acts_open) and told and not repeatable


def _by_result(result: RunResult, pod: PodEnd | None) -> Ended:
    out_of_memory = pod is not None and pod.container_reason == "OOMKilled"
    if result.status is ResultStatus.SUCCEEDED:
        note = "; a process of it ran out of memory on the way" if out_of_memory else ""
        message = (result.message or "") + note
        code = result.exit_code
        return Ended("Succeeded", "Completed", message, code, result.answer, result.output)
    if out_of_memory and result.exit_code in KILLED:
        return Ended("Failed", "OutOfMemory", _MEMORY, result.exit_code, result.answer)
    return Ended(
        "Failed",
        result.reason or "AgentFailed",
        result.message or "",
        result.exit_code,
        result.answer,
        is_final=not result.transient,
    )


def _taken_away(run: RunFacts, *, timed_out: bool, repeatable: bool) -> Ended:
    if unknown(run, repeatable=repeatable):
        begun = ", ".join(run.acts_open)
        return Ended(
            "Failed",
            "OutcomeUnknown",
            f"the pod is gone and it is not known whether this was done: {begun}",
        )
    if timed_out:
        return Ended("Failed", "Timeout", _TIMEOUT)
    return Ended("Lost", "PodLost", "the pod was taken away before it posted a result")


def _by_pod(pod: PodEnd, run: RunFacts) -> Ended:
    if pod.pod_reason == "DeadlineExceeded":
        return Ended("Failed", "Timeout", _TIMEOUT, pod.exit_code)
    if pod.pod_reason == "Evicted":
        return Ended("Failed", "Evicted", pod.message or "the pod was evicted", pod.exit_code)
    if pod.container_reason == "OOMKilled" and not pod.succeeded:
        return Ended("Failed", "OutOfMemory", _MEMORY, pod.exit_code)
    said = _last_word(pod)
    if said is not None:
        return _by_result(job_types.check_output(said, run.output_schema), pod)
    if pod.succeeded:
        return _by_result(_of_exit(pod, run), pod)
    return Ended("Failed", "ExitCode", pod.message or f"exit code {pod.exit_code}", pod.exit_code)


def _of_exit(pod: PodEnd, run: RunFacts) -> RunResult:
    """The result that an exit code 0 stands for. Its output a door has told, if there was one; or
    why what was there is none.
    """
    told = run.result or _read(pod.told)
    output, problem = (None, None) if told is None else (told.output, told.message)
    if run.output_schema is not None and output is None and problem is not None:
        return RunResult(
            status=ResultStatus.FAILED,
            reason=job_types.OUTPUT_INVALID,
            message=problem,
            exit_code=pod.exit_code,
        )
    ended = RunResult(
        status=ResultStatus.SUCCEEDED,
        message=pod.message[:MESSAGE_CHARACTERS],
        exit_code=pod.exit_code,
        output=output,
    )
    return job_types.check_output(ended, run.output_schema)


def _last_word(pod: PodEnd) -> RunResult | None:
    """The result that a program left as its termination message because the platform was away."""
    said = _read(pod.message)
    return None if said is None or said.reason == TERMINATED else said


def _read(message: str) -> RunResult | None:
    try:
        return RunResult.model_validate_json(message)
    except ValidationError:
        return None


_MEMORY = "a process needed more memory than the pod's limit; raise resources.limits.memory"
_TIMEOUT = "the attempt took longer than its timeout; raise timeoutSeconds or do less"
