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
