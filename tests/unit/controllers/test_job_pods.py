"""What a pod's status says of its end."""

from typing import Any

import pytest

from coxswain_controllers.job import pods

EVICTED = {"reason": "Evicted", "message": 'usage of volume "workspace" exceeds the limit'}


@pytest.mark.parametrize(
    ("said_by_the_pod", "said_by_the_program", "wanted"),
    [
        (EVICTED, "told to end", EVICTED["message"]),
        (EVICTED, "", EVICTED["message"]),
        ({"reason": "Evicted"}, "told to end", "told to end"),
        ({"message": "the node says"}, "the program says", "the program says"),
        ({"message": "the node says"}, "", "the node says"),
    ],
)
def test_of_an_eviction_the_kubelet_knows_why_of_all_else_the_program(
    said_by_the_pod: dict[str, Any], said_by_the_program: str, wanted: str
) -> None:
    terminated = {"exitCode": 1, "message": said_by_the_program}
    state = {"name": "agent", "state": {"terminated": terminated}}
    status = {"phase": "Failed", **said_by_the_pod, "containerStatuses": [state]}
    metadata = {"name": "job-1", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    end = pods.seen({"metadata": metadata, "status": status}).end
    assert end is not None
    assert end.message == wanted


@pytest.mark.parametrize(
    ("phase", "state", "has_run"),
    [
        ("Failed", {"terminated": {"exitCode": 137, "startedAt": None}}, False),
        ("Failed", {"terminated": {"exitCode": 1, "startedAt": "2026-01-01T00:00:09Z"}}, True),
        ("Failed", {}, True),
        ("Running", {}, True),
        ("Pending", {"waiting": {"reason": "ContainerCreating"}}, False),
    ],
    ids=["ended without a start", "ended", "ended, and no more is told", "runs", "waits"],
)
def test_a_container_that_ended_without_a_start_has_not_run_though_a_node_had_its_pod(
    phase: str, state: dict[str, Any], has_run: bool
) -> None:
    containers = [{"name": "agent", "state": state}]
    status = {"phase": phase, "startTime": "2026-01-01T00:00:05Z", "containerStatuses": containers}
    metadata = {"name": "job-1", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    seen = pods.seen({"metadata": metadata, "status": status})
    assert (seen.running_since is not None) is has_run
