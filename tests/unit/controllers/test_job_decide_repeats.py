"""What may be done a second time blindly, when the pod vanishes in the middle of an act."""

from dataclasses import replace

import pytest

from coxswain.api.job import JobPhase
from coxswain.rules.outcome import RunFacts
from coxswain_controllers.job.decide import decide
from tests.support import builders, snapshots
from tests.support.builders import JobBuilder
from tests.support.snapshots import PLATFORM, at

ACTING = RunFacts(claimed=True, acts_open=("send mail",))
COMMAND = builders.job().with_command("send")


@pytest.mark.parametrize(
    ("job", "phase"),
    [
        (COMMAND, JobPhase.REVIEW),
        (COMMAND.with_attempts(1), JobPhase.REVIEW),
        (COMMAND.with_attempts(2), JobPhase.QUEUED),
        (builders.job().with_attempts(2), JobPhase.REVIEW),
    ],
    ids=["a command", "with one attempt", "with two", "a prompt with two"],
)
def test_only_a_program_whose_retry_allows_it_is_tried_again_blindly(
    job: JobBuilder, phase: JobPhase
) -> None:
    vanished = replace(snapshots.running(job), pod=None, run=ACTING)
    known = snapshots.follow(vanished, decide(vanished, PLATFORM, at(20)))
    assert known.status.phase is phase
