"""What the pod of a former holder tells."""

from typing import Any

import pytest

from coxswain_controllers.lease import observe
from coxswain_controllers.lease.snapshot import Former

UNREADY = {"type": "Ready", "status": "False"}


def pod(phase: str, *conditions: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    status = {"phase": phase, "conditions": list(conditions)}
    return {"metadata": {"name": "p", **metadata}, "status": status}


@pytest.mark.parametrize(
    ("seen", "former"),
    [
        (pod("Running"), Former.RUNNING),
        (pod("Running", {"type": "Ready", "status": "True"}), Former.RUNNING),
        (pod("Running", {**UNREADY, "reason": "ContainersNotReady"}), Former.RUNNING),
        (pod("Running", UNREADY), Former.OUT_OF_REACH),
        (pod("Running", {**UNREADY, "reason": "NodeNotReady"}), Former.OUT_OF_REACH),
        (pod("Running", deletionTimestamp="2026-01-01T00:00:00Z"), Former.OUT_OF_REACH),
        (pod("Failed", {**UNREADY, "reason": "PodFailed"}), Former.GONE),
    ],
    ids=["no word", "ready", "its door is silent", "silent", "a reason", "to end", "ended"],
)
def test_a_pod_is_out_of_reach_while_its_node_is_silent_and_not_while_its_door_is(
    seen: dict[str, Any], former: Former
) -> None:
    assert observe.of_pod(seen) is former
