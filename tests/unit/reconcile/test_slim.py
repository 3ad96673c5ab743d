"""What memory keeps of objects, and that a pass sees the same by it."""

import copy
from typing import Any

import pytest

from coxswain import names
from coxswain.reconcile import slim
from coxswain_controllers.job import pods
from tests.support import builders

Body = dict[str, Any]


def pod(phase: str) -> Body:
    """A pod with a door beside its program."""
    door = {"name": names.DOOR_CONTAINER, "restartPolicy": "Always", "image": "door:1", "env": []}
    program = {
        "name": names.AGENT_CONTAINER,
        "image": "tool:1",
        "resources": {"limits": {"cpu": "1"}},
    }
    metadata = {
        "name": "read-1",
        "uid": "u",
        "creationTimestamp": builders.CREATED,
        "labels": {names.LABEL_ATTEMPT: "1"},
        "managedFields": [{"manager": "kubelet"}],
    }
    spec = {"containers": [program], "initContainers": [door], "hostAliases": [{"ip": "10.0.0.1"}]}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase}}


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded", "Failed"])
def test_a_pass_sees_the_same_of_a_pod_and_the_given_one_stays_as_it_is(phase: str) -> None:
    given = pod(phase)
    before = copy.deepcopy(given)
    kept = slim.of("Pod", given)
    assert pods.seen(kept) == pods.seen(given)
    assert pods.seen(kept).has_door
    assert given == before


def test_a_pod_that_has_ended_is_kept_without_what_it_was_to_run() -> None:
    kept = slim.of("Pod", pod("Failed"))
    assert kept["spec"] == {
        "initContainers": [{"name": names.DOOR_CONTAINER, "restartPolicy": "Always"}]
    }


def test_of_what_may_still_run_and_of_other_kinds_the_spec_is_kept() -> None:
    assert slim.of("Pod", pod("Running"))["spec"] == pod("Running")["spec"]
    assert slim.of("Job", pod("Succeeded"))["spec"] == pod("Succeeded")["spec"]


def test_who_wrote_which_field_is_not_kept() -> None:
    assert "managedFields" not in slim.of("Job", pod("Running"))["metadata"]
