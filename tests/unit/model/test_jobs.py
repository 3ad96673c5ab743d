"""Everything that can happen to a Job within bounds, over the product's own passes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from coxswain.api.job import JobPhase, JobStatus
from coxswain.errors import NotFoundError
from coxswain.kube import paths
from coxswain.reconcile import actions
from coxswain.reconcile.act import Actor
from coxswain.reconcile.decision import Decision
from coxswain_controllers.job.room import JobRoom
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.model.explore import Explorer, Found
from tests.model.jobs import Bounds, JobModel

CALM = Bounds(faults=0)
ONE_FAULT = Bounds(faults=1, cancels=False, times_out=False)
ONE_ATTEMPT = Bounds(attempts=1, faults=0, cancels=False)
PLAIN = Bounds(faults=0, cancels=False, times_out=False)


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    """Thousands of passes would log their failures."""
    with capture_logs():
        yield


def explored(bounds: Bounds, most: int, **broken: Any) -> Found:
    return Explorer(JobModel(bounds, **broken), most).run()


@pytest.mark.parametrize(
    ("bounds", "most"),
    [
        (CALM, 5_000),
        (replace(CALM, acts=True, cancels=False), 3_000),
        (ONE_FAULT, 5_000),
        (Bounds(faults=2), 2_000),
    ],
    ids=["calm", "acts", "one fault", "two faults"],
)
def test_every_promise_holds_in_every_state(bounds: Bounds, most: int) -> None:
    found = explored(bounds, most)
    assert found.problem is None, found.text
    assert found.states > 1_000


class Careless(JobRoom):
    """A room with a bug: ``sees`` changes what is decided on, ``does`` what was decided."""

    def sees(self, snapshot: JobSnapshot) -> JobSnapshot:
        return snapshot

    def does(self, _snapshot: JobSnapshot, decision: Decision) -> Decision:
        return decision

    @override
    def decide(self, snapshot: JobSnapshot, now: datetime) -> Decision:
        return self.does(snapshot, super().decide(self.sees(snapshot), now))


class ForgetsFormerPods(Careless):
    @override
    def sees(self, snapshot: JobSnapshot) -> JobSnapshot:
        return replace(snapshot, former=())


class BeginsAgain(Careless):
    @override
    def sees(self, snapshot: JobSnapshot) -> JobSnapshot:
        is_over = snapshot.status.phase is JobPhase.FAILED
        return replace(snapshot, status=JobStatus()) if is_over else snapshot


class ClosesBlindly(Careless):
    @override
    def does(self, _snapshot: JobSnapshot, decision: Decision) -> Decision:
        todo = tuple(
            replace(each, knows_result=True) if isinstance(each, actions.CloseRun) else each
            for each in decision.actions
        )
        return replace(decision, actions=todo)


class MakesThePodFirst(Careless):
    @override
    def does(self, _snapshot: JobSnapshot, decision: Decision) -> Decision:
        return replace(decision, actions=decision.actions[::-1])


class NeverLooksAgain(Careless):
    @override
    def does(self, _snapshot: JobSnapshot, decision: Decision) -> Decision:
        return replace(decision, wake_at=None)


class SkipsRunning(Careless):
    @override
    def does(self, _snapshot: JobSnapshot, decision: Decision) -> Decision:
        if decision.status is None:
            return decision
        edges = decision.status.get("transitions", [])
        kept = [each for each in edges if each["phase"] != "Running"]
        return replace(decision, status={**decision.status, "transitions": kept})


class LeavesANumberOut(Careless):
    @override
    def does(self, _snapshot: JobSnapshot, decision: Decision) -> Decision:
        if decision.status is None:
            return decision
        entries = decision.status.get("attempts", [])
        entries = [{**each, "number": each["number"] + 1} for each in entries]
        return replace(decision, status={**decision.status, "attempts": entries})


class ForgetsWhatNeverStarted(Careless):
    @override
    def does(self, _snapshot: JobSnapshot, decision: Decision) -> Decision:
        if decision.status is None:
            return decision
        entries = [each for each in decision.status.get("attempts", []) if each.get("startedAt")]
        return replace(decision, status={**decision.status, "attempts": entries})


class ClosesNothing(Careless):
    @override
    def does(self, _snapshot: JobSnapshot, decision: Decision) -> Decision:
        kept = [each for each in decision.actions if not isinstance(each, actions.CloseRun)]
        return replace(decision, actions=tuple(kept))


class NeverLooksLive(JobRoom):
    """Memory counts: a pod that it does not know is gone."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        world.client = Blind(world.client)


class Blind:
    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self, path: str) -> Any:
        if path.startswith(paths.collection("pods", "team")):
            raise NotFoundError("nobody looked")
        return await self._client.get(path)


class DeletesByName(Actor):
    @override
    async def _delete_pod(self, action: actions.DeletePod) -> None:
        client: Any = self._client
        await client.delete(paths.of("pods", action.namespace, action.name))


BROKEN: dict[str, tuple[Callable[..., Any], Bounds, str]] = {
    "forgets former pods": (ForgetsFormerPods, CALM, "is made while"),
    "begins an ended Job again": (BeginsAgain, ONE_ATTEMPT, "history was rewritten"),
    "closes a run whose result it has not read": (
        ClosesBlindly,
        ONE_ATTEMPT,
        "had posted a success",
    ),
    "makes the pod before the row": (MakesThePodFirst, CALM, "before its row stands"),
    "never looks again": (NeverLooksAgain, PLAIN, "never ends"),
    "skips a phase": (SkipsRunning, PLAIN, "the last edge says"),
    "leaves a number out": (LeavesANumberOut, PLAIN, "are numbered"),
    "forgets what never started": (
        ForgetsWhatNeverStarted,
        Bounds(attempts=1, faults=0),
        "tells nothing of attempt 1",
    ),
    "closes nothing": (ClosesNothing, ONE_ATTEMPT, "leaves the run of attempt 1 open"),
    "never looks live": (NeverLooksLive, ONE_FAULT, "is made while"),
}


@pytest.mark.parametrize(("room", "bounds", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_room_is_found_and_its_story_told(
    room: Callable[..., Any], bounds: Bounds, words: str
) -> None:
    found = explored(bounds, 20_000, room=room)
    assert found.problem is not None
    assert words in found.problem
    assert "it begins: Job new" in found.story[0]
    assert found.problem in found.story[-1]


def test_an_actor_that_deletes_by_name_is_found() -> None:
    found = explored(CALM, 20_000, actor=DeletesByName)
    assert "deleted by its name alone" in (found.problem or "")
