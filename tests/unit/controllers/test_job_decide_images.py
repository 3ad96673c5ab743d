"""What is decided about Jobs that run in an image of their own."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.contract import ResultStatus, RunResult
from coxswain.reconcile import actions
from coxswain.rules import quota
from coxswain.rules.outcome import PodEnd, RunFacts
from coxswain.rules.quota import QuotaState
from coxswain_controllers.job import manifest
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import Contract, JobSnapshot
from tests.support import builders, snapshots
from tests.support.snapshots import BADLY, CLAIMED, NO_RECORDS, NOW, WELL, at

COMMAND = builders.job().with_command("tool")
TOOL = "ghcr.io/team/tool:1"
OTHER = "ghcr.io/team/other:2"
ALLOWING = builders.platform(allowed_images=["ghcr.io/team/"])
OWN = snapshots.agent(builders.agent().with_image(TOOL))
REFUSED = PodEnd(succeeded=False, exit_code=77, message="the run is not ours")


def made(seen: JobSnapshot) -> tuple[actions.OpenRun, dict[str, Any]]:
    row, pod = decide(seen, ALLOWING, NOW).actions
    assert isinstance(row, actions.OpenRun)
    assert isinstance(pod, actions.CreatePod)
    return row, pod.manifest


@pytest.mark.parametrize(
    ("of_type", "image"),
    [(None, TOOL), (OTHER, OTHER), ("Platform", None)],
)
def test_row_and_pod_are_of_the_types_image_else_of_the_agents(
    of_type: str | None, image: str | None
) -> None:
    row, pod = made(snapshots.waiting(COMMAND, agent=OWN, contract=Contract(image=of_type)))
    assert row.document.image == image
    wanted = image or ALLOWING.settings.agent_image
    assert pod["spec"]["containers"][0]["image"] == wanted
    assert ("initContainers" in pod["spec"]) is (image is not None)


@pytest.mark.parametrize("seen", [{"agent": OWN}, {"contract": Contract(image=TOOL)}])
def test_an_image_that_the_installation_does_not_list_starts_no_pod(seen: dict[str, Any]) -> None:
    waits = snapshots.waiting(COMMAND, **seen)
    decision = decide(waits, builders.platform(allowed_images=["ghcr.io/other/"]), NOW)
    assert decision.actions == ()
    found = find(snapshots.follow(waits, decision).status.conditions, ConditionType.SANDBOX_READY)
    assert found is not None
    assert (found.status, found.reason) == ("False", "ImageNotAllowed")
    assert f"does not allow image {TOOL}" in found.message
    # It may be listed later; nothing tells of that.
    assert decision.wake_at is not None


def test_the_door_needs_room_in_the_quota_too() -> None:
    hard = {"limits.cpu": "1200m"}
    tight = (QuotaState("q", quota.amounts(hard), {}),)
    assert decide(snapshots.waiting(COMMAND, quotas=tight), ALLOWING, NOW).actions
    waits = snapshots.waiting(COMMAND, quotas=tight, agent=OWN)
    decision = decide(waits, ALLOWING, NOW)
    assert decision.actions == ()
    status = snapshots.follow(waits, decision).status
    found = find(status.conditions, ConditionType.QUOTA_RESERVED)
    assert found is not None
    assert "1.500 needed" in found.message


def _gave_up(**seen: Any) -> JobSnapshot:
    return replace(snapshots.starting(COMMAND, has_door=True, given_up=REFUSED), **seen)


def test_a_door_that_gave_up_ends_the_attempt_and_its_pod_before_any_program() -> None:
    seen = _gave_up(run=RunFacts())
    assert seen.pod is not None
    decision = decide(seen, ALLOWING, at(1))
    close, pod = decision.actions
    assert isinstance(close, actions.CloseRun)
    assert pod == actions.DeletePod(seen.key.namespace, seen.pod.name, seen.pod.uid)
    status = snapshots.follow(seen, decision).status
    assert status.phase == "Failed"
    assert (status.attempts[0].reason, status.attempts[0].exit_code) == ("ExitCode", 77)


def test_what_the_door_posted_before_the_program_began_is_the_result() -> None:
    files = RunResult(status=ResultStatus.FAILED, reason="FilesNotCopied", message="no room")
    seen = _gave_up(run=RunFacts(claimed=True, result=files))
    status = snapshots.follow(seen, decide(seen, ALLOWING, at(1))).status
    assert status.attempts[0].reason == "FilesNotCopied"


def test_a_verdict_that_stands_is_kept_over_what_the_door_then_met() -> None:
    seen = _gave_up(run=RunFacts(closed_reason="Failed/ImagePull"))
    status = snapshots.follow(seen, decide(seen, ALLOWING, at(1))).status
    assert status.attempts[0].reason == "ImagePull"


def test_a_door_that_gave_up_is_judged_by_its_row_once_that_answers() -> None:
    decision = decide(_gave_up(records=NO_RECORDS), ALLOWING, at(1))
    assert decision.actions == ()
    assert decision.wake_at is not None


def test_a_former_pod_whose_door_was_refused_is_ended_and_not_waited_for() -> None:
    seen = snapshots.waiting(COMMAND)
    late = snapshots.pod(seen, name="read-former", uid="7", has_door=True, given_up=REFUSED)
    decision = decide(replace(seen, former=(late,)), ALLOWING, NOW)
    assert decision.actions == (actions.DeletePod(seen.key.namespace, "read-former", "7"),)
    going = replace(late, is_deleting=True)
    again = decide(replace(seen, former=(going,)), ALLOWING, NOW)
    assert again.actions == ()


@pytest.mark.parametrize(
    ("has_door", "run", "is_kept"),
    [
        (True, CLAIMED, True),
        (True, snapshots.posted("failed", reason="Terminated", output="1"), True),
        (True, snapshots.posted("succeeded"), False),
        (False, snapshots.posted("failed", reason="Terminated"), False),
    ],
)
def test_the_log_of_a_program_that_had_no_say_itself_is_kept(
    has_door: bool, run: RunFacts, is_kept: bool
) -> None:
    seen = snapshots.ended(COMMAND, WELL, run=run)
    assert seen.pod is not None
    decision = decide(replace(seen, pod=replace(seen.pod, has_door=has_door)), ALLOWING, at(20))
    kept = [each for each in decision.actions if isinstance(each, actions.KeepLog)]
    assert bool(kept) is is_kept


@pytest.mark.parametrize("attempts", [1, 2])
def test_an_image_by_itself_is_repeated_blindly_only_where_the_retry_says_so(attempts: int) -> None:
    job = builders.job().of_type("count").with_attempts(attempts)
    of_type = Contract(image=TOOL)
    in_an_act = RunFacts(claimed=True, acts_open=("the image's own program",))
    seen = replace(snapshots.running(job), contract=of_type, run=in_an_act, pod=None)
    status = snapshots.follow(seen, decide(seen, ALLOWING, at(5))).status
    reason = "OutcomeUnknown" if attempts == 1 else "PodLost"
    assert status.attempts[0].reason == reason


def test_a_type_that_is_no_more_says_nothing_about_repeating() -> None:
    spec = builders.job().of_type("count").with_attempts(2).parsed.spec
    assert not manifest.is_repeatable(spec, Contract())


def test_an_exit_code_is_the_programs_own_end_and_another_attempt_follows() -> None:
    job = COMMAND.with_attempts(2)
    in_an_act = RunFacts(claimed=True, acts_open=("command",))
    seen = snapshots.ended(job, BADLY, run=in_an_act)
    status = snapshots.follow(seen, decide(seen, ALLOWING, at(20))).status
    assert (status.phase, status.attempts[0].reason) == ("Queued", "ExitCode")
