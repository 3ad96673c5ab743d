"""What is seen of a pod in which our door stands beside an image of its own."""

from decimal import Decimal
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, Seen
from coxswain_controllers.job import pods
from coxswain_controllers.job.snapshot import PodSeen, Used

Body = dict[str, Any]
AT = "2026-01-01T00:00:00Z"
RUNS: Body = {"running": {"startedAt": AT}}
WAITS: Body = {"waiting": {"reason": "PodInitializing"}}
BACK_OFF: Body = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}


def ended(code: int, **more: Any) -> Body:
    return {"terminated": {"exitCode": code, "finishedAt": AT, **more}}


def raw(program: Body, door: Body | None, **status: Any) -> Body:
    """A pod; ``door`` is the status of its door, None before the kubelet has looked at it."""
    known = {
        "phase": "Pending",
        "containerStatuses": [{"name": "agent", "state": program}],
        **({} if door is None else {"initContainerStatuses": [{"name": "door", **door}]}),
    }
    bounds = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    small = {"resources": {"limits": {"cpu": "500m", "memory": "1Mi"}}}
    spec = {
        "containers": [{"name": "agent", **bounds}],
        "initContainers": [{"name": "door", "restartPolicy": "Always", **small}],
    }
    metadata = {"name": "job-1", "uid": "1", "creationTimestamp": AT}
    return {"metadata": metadata, "spec": spec, "status": {**known, **status}}


def seen(program: Body, door: Body | None, **status: Any) -> PodSeen:
    return pods.seen(raw(program, door, **status))


UNREADY = {"state": RUNS, "started": False}
READY = {"state": RUNS, "started": True}
PULL = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}


@pytest.mark.parametrize(
    ("program", "door", "reason", "message"),
    [
        (WAITS, None, "VolumeMount", "volumes are mounted and the image is fetched"),
        (WAITS, {"state": PULL}, "ImagePull", "no such image"),
        (WAITS, UNREADY, "DoorNotReady", "the door has not claimed the run yet"),
        (
            WAITS,
            {"state": BACK_OFF, "lastState": ended(75, message="nobody answers")},
            "DoorNotReady",
            "nobody answers",
        ),
        (WAITS, {"state": ended(75, message="nobody")}, "DoorNotReady", "nobody"),
        # From here on the program's own image is what is waited for.
        (PULL, READY, "ImagePull", "no such image"),
        (WAITS, READY, "VolumeMount", "volumes are mounted and the image is fetched"),
        (
            {"waiting": {"reason": "CreateContainerError", "message": "no command specified"}},
            READY,
            "CreateContainerError",
            "no command specified",
        ),
    ],
)
def test_what_it_waits_for(program: Body, door: Body | None, reason: str, message: str) -> None:
    found = seen(program, door)
    assert found.waits_for == Seen(ConditionType.POD_STARTED, "False", reason, message)
    assert (found.running_since, found.end, found.given_up) == (None, None, None)
    assert found.has_door


@pytest.mark.parametrize("code", [1, 77, 78])
@pytest.mark.parametrize("is_waiting", [True, False])
def test_a_door_that_ended_for_good_before_the_program_began_has_given_up(
    code: int, is_waiting: bool
) -> None:
    end = ended(code, message="the run is not ours")
    door = {"state": BACK_OFF, "lastState": end} if is_waiting else {"state": end}
    found = seen(WAITS, door)
    assert found.end is None
    assert found.given_up is not None
    assert (found.given_up.succeeded, found.given_up.exit_code) == (False, code)
    assert found.given_up.message == "the run is not ours"


@pytest.mark.parametrize("code", [0, 70, 75, 137])
def test_a_door_that_may_do_better_next_time_has_not(code: int) -> None:
    assert seen(WAITS, {"state": BACK_OFF, "lastState": ended(code)}).given_up is None


@pytest.mark.parametrize("program", [RUNS, ended(0, startedAt=AT)])
def test_what_became_of_the_door_ends_nothing_once_the_program_has_begun(program: Body) -> None:
    found = seen(program, {"state": BACK_OFF, "lastState": ended(77)}, phase="Running")
    assert (found.given_up, found.end) == (None, None)
    assert found.running_since is not None


def test_the_programs_exit_code_counts_and_not_the_doors() -> None:
    program = ended(3, reason="Error", message="own words", startedAt=AT)
    found = seen(program, {"state": ended(0, message="told")}, phase="Failed").end
    assert found is not None
    assert (found.exit_code, found.message, found.told) == (3, "own words", "told")
    well = seen(ended(0, startedAt=AT), {"state": ended(137)}, phase="Succeeded").end
    assert well is not None
    assert (well.succeeded, well.exit_code) == (True, 0)


def test_a_program_that_ran_out_of_memory_says_so() -> None:
    program = ended(137, reason="OOMKilled", startedAt=AT)
    found = seen(program, {"state": ended(0)}, phase="Failed").end
    assert found is not None
    assert found.container_reason == "OOMKilled"


def test_a_door_that_ran_out_of_memory_is_not_the_program() -> None:
    door = {"state": ended(137, reason="OOMKilled")}
    found = seen(ended(0, startedAt=AT), door, phase="Succeeded").end
    assert found is not None
    assert found.container_reason == ""


def test_a_pod_on_its_way_out_was_taken_away_whatever_its_door_says() -> None:
    manifest = raw(WAITS, {"state": ended(77)})
    manifest["metadata"]["deletionTimestamp"] = AT
    found = pods.seen(manifest).given_up
    assert found is not None
    assert found.disrupted


@pytest.mark.parametrize(
    ("reason", "is_cut_off"), [("ContainersNotReady", False), ("NodeNotReady", True), (None, True)]
)
def test_a_door_that_does_not_answer_says_nothing_about_its_node(
    reason: str | None, is_cut_off: bool
) -> None:
    said = {} if reason is None else {"reason": reason}
    conditions = [{"type": "Ready", "status": "False", **said}]
    assert seen(RUNS, UNREADY, phase="Running", conditions=conditions).is_cut_off is is_cut_off


def test_the_door_counts_in_what_a_pod_may_use() -> None:
    assert pods.uses(raw(RUNS, READY)) == Used(Decimal("1.5"), Decimal(2**30 + 2**20))


def test_an_init_container_that_ends_before_the_program_does_not() -> None:
    manifest = raw(RUNS, READY)
    del manifest["spec"]["initContainers"][0]["restartPolicy"]
    assert pods.uses(manifest) == Used(Decimal(1), Decimal(2**30))
    assert not pods.seen(manifest).has_door
