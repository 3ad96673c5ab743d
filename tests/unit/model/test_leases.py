"""Everything that can happen to a Lease within bounds, over the product's own passes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from coxswain.reconcile.decision import Decision
from coxswain_controllers.lease.room import LeaseRoom
from coxswain_controllers.lease.snapshot import Former, LeaseSnapshot
from tests.model.explore import Explorer, Found
from tests.model.leases import Bounds, LeaseModel

CALM = Bounds(faults=0, grants=2)


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    """Thousands of passes would log their failures."""
    with capture_logs():
        yield


def explored(bounds: Bounds, most: int, **broken: Any) -> Found:
    return Explorer(LeaseModel(bounds, **broken), most).run()


@pytest.mark.parametrize(
    ("bounds", "most"), [(CALM, 5_000), (Bounds(faults=2, grants=2), 2_500)], ids=["calm", "faults"]
)
def test_every_promise_holds_in_every_state(bounds: Bounds, most: int) -> None:
    found = explored(bounds, most)
    assert found.problem is None, found.text
    assert found.states > 1_000


class Careless(LeaseRoom):
    """A room with a bug: ``sees`` changes what is decided on, ``does`` what was decided."""

    def sees(self, snapshot: LeaseSnapshot) -> LeaseSnapshot:
        return snapshot

    def does(self, decision: Decision) -> Decision:
        return decision

    @override
    def decide(self, snapshot: LeaseSnapshot, now: datetime) -> Decision:
        return self.does(super().decide(self.sees(snapshot), now))


class BelievesInNobody(Careless):
    @override
    def sees(self, snapshot: LeaseSnapshot) -> LeaseSnapshot:
        return replace(snapshot, former=Former.GONE)


class ShowsNoToken(Careless):
    @override
    def does(self, decision: Decision) -> Decision:
        status = decision.status
        if status is None or status.get("state") == "Held":
            return decision
        return replace(decision, status={**status, "token": 0})


class NeverDefines(Careless):
    @override
    def does(self, decision: Decision) -> Decision:
        return replace(decision, actions=())


BROKEN: dict[str, tuple[Callable[..., Any], str]] = {
    "takes every former holder for gone": (BelievesInNobody, "while run 1 acts"),
    "shows no token of what is free": (ShowsNoToken, "token of the status fell"),
    "never has the records stand for it": (NeverDefines, "never ends"),
}


@pytest.mark.parametrize(("room", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_room_is_found_and_its_story_told(room: Callable[..., Any], words: str) -> None:
    found = explored(CALM, 5_000, room=room)
    assert found.problem is not None
    assert words in found.problem
    assert found.problem in found.story[-1]
