"""What the pod of a former holder tells."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from coxswain.errors import NotFoundError
from coxswain.reconcile import key
from coxswain.reconcile.cache import Cache
from coxswain_controllers.lease import observe
from coxswain_controllers.lease.snapshot import Former
from tests.support import builders, worlds
from tests.unit.controllers.test_lease_decide import RAW, quarantined

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


class Server:
    """Has the pod of a former holder, or has it no more."""

    def __init__(self, found: dict[str, Any] | None) -> None:
        self._found = found

    async def get(self, path: str) -> dict[str, Any]:
        if self._found is None:
            raise NotFoundError(f"GET {path}")
        return self._found

    async def lease(self, *_place: object) -> tuple[Any, None]:
        return quarantined(), None


@pytest.mark.parametrize(
    ("is_there", "former"), [(True, Former.RUNNING), (False, Former.GONE)], ids=["there", "gone"]
)
async def test_a_former_holder_is_looked_at_live_whatever_memory_knows(
    is_there: bool, former: Former
) -> None:
    raw = worlds.pod("read", "read", phase="Running")
    cache, server = Cache(), Server(raw if is_there else None)
    cache.put("Lease", RAW)
    if not is_there:
        cache.put("Pod", raw)
    world = cast("Any", SimpleNamespace(cache=cache, records=server, client=server))
    seen = await observe.observe(world, key.of("Lease", builders.lease().raw))
    assert seen is not None
    assert seen.former is former
