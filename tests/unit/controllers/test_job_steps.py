"""What a Job of several steps, and an Agent that asks people, come to in the run of an attempt."""

from typing import Any

import pytest

from coxswain.api.approval import CallApproval
from coxswain.rules.outcome import RunFacts
from coxswain_controllers.job import manifest
from coxswain_controllers.job.decide import decide
from tests.support import builders, snapshots
from tests.support.builders import JobBuilder
from tests.support.snapshots import NOW, PLATFORM

PROGRAM = {"name": "build", "command": ["make"]}
PROMPT = {"name": "look", "prompt": "Is it good?"}
BETWEEN = RunFacts(claimed=True, acts_open=("the steps so far",))


def _document(job: JobBuilder, agent: builders.AgentBuilder | None = None) -> Any:
    seen = snapshots.waiting(job)
    if agent is not None:
        seen = snapshots.waiting(job, agent=snapshots.agent(agent))
    assert seen.agent is not None
    return manifest.document(seen, seen.valid_spec, seen.agent)


def test_the_run_has_the_steps_in_their_order() -> None:
    edge = {**PROMPT, "dependsOn": [{"name": "build", "onFailure": "Ignore"}]}
    run = _document(builders.job().with_steps(PROGRAM, edge))
    assert [step.name for step in run.steps] == ["build", "look"]
    assert run.steps[1].depends_on[0].on_failure == "Ignore"
    assert (run.prompt, run.command) == (None, None)


@pytest.mark.parametrize(
    ("steps", "attempts", "repeatable"),
    [
        ([PROGRAM], 1, False),
        ([PROGRAM], 2, True),
        ([PROMPT], 2, False),
        ([PROGRAM, PROMPT], 2, False),
    ],
)
def test_only_programs_whose_job_allows_another_attempt_may_be_repeated(
    steps: list[dict[str, Any]], attempts: int, repeatable: bool
) -> None:
    run = _document(builders.job().with_steps(*steps).with_attempts(attempts))
    assert run.repeatable is repeatable


@pytest.mark.parametrize(
    ("steps", "attempts", "reason"),
    [
        ([PROGRAM], 1, "OutcomeUnknown"),
        ([PROGRAM, PROMPT], 2, "OutcomeUnknown"),
        ([PROGRAM], 2, "PodLost"),
    ],
)
def test_a_pod_that_is_lost_between_two_steps_is_not_blindly_followed_by_another(
    steps: list[dict[str, Any]], attempts: int, reason: str
) -> None:
    job = builders.job().with_steps(*steps).with_attempts(attempts).running()
    seen = snapshots.waiting(job, run=BETWEEN)
    after = snapshots.follow(seen, decide(seen, PLATFORM, NOW))
    assert after.status.attempts[-1].reason == reason
    assert (after.status.phase == "Review") is (reason == "OutcomeUnknown")


def test_the_run_says_which_tools_people_have_to_agree_to_and_who() -> None:
    rule = {"approvers": ["ada"], "timeoutSeconds": 60}
    agent = builders.agent().with_spec(tools={"ask": ["run_command"]}, approvals=rule)
    made = builders.job().with_metadata(annotations={"coxswain.dev/requester": "eve"})
    run = _document(made, agent)
    assert run.ask == ["run_command"]
    assert run.approvals == CallApproval(approvers=["ada"], timeout_seconds=60)
    assert run.requester == "eve"
    assert _document(builders.job(), agent).requester is None
