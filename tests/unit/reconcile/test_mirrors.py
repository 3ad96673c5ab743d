"""What was gone before the mirror knew of it is found by its open run, and only if it is gone."""

import pytest

from coxswain.errors import CoxswainError, NotFoundError, UnavailableError
from coxswain.reconcile import mirrors
from coxswain.store.runs import Unmirrored
from tests.support.worlds import Body, PaperWorld, job

OPEN = Unmirrored("Job-j", "team", "j")
PATH = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/j"


class Live:
    """The API server, asked for one Job."""

    def __init__(self, answer: Body | CoxswainError) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def get(self, path: str) -> Body:
        self.asked.append(path)
        if isinstance(self.answer, CoxswainError):
            raise self.answer
        return self.answer


async def closed(live: Live, *known: Body) -> list[str]:
    """The Jobs whose runs a comparison closes, where the mirror knows nothing of j."""
    paper = PaperWorld(live, unmirrored=(OPEN,))
    for each in known:
        paper.world.cache.put("Job", each)
    rooms = {kind: room for kind, room in paper.rooms.items() if kind == "Job"}
    assert await mirrors.compare(paper.world, paper.intake, rooms)
    return paper.closed


@pytest.mark.parametrize(
    "answer", [NotFoundError("no"), {"metadata": {"uid": "another of that name"}}]
)
async def test_the_runs_of_a_job_that_is_gone_are_closed(answer: Body | NotFoundError) -> None:
    live = Live(answer)
    assert await closed(live) == ["Job-j"]
    assert live.asked == [PATH]


async def test_a_job_that_memory_knows_is_not_asked_for() -> None:
    live = Live(NotFoundError("no"))
    assert await closed(live, job("j")) == []
    assert live.asked == []


@pytest.mark.parametrize("answer", [job("j"), UnavailableError("away")])
async def test_a_job_that_lives_or_may_live_keeps_its_runs(answer: Body | CoxswainError) -> None:
    assert await closed(Live(answer)) == []
