"""What no event told is found by looking, counted, and repaired."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from coxswain.errors import ForbiddenError
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.sweeper import Sweeper, Swept
from coxswain.rules import caps
from coxswain.telemetry import metrics
from tests.support import fast_time, lines
from tests.support.worlds import Body, PaperWorld, job, pod

KINDS = (Swept("Pod", "pods", "a=b"), Swept("Job", "jobs"))
PLURALS = {"pods": "Pod", "jobs": "Job"}


@dataclass
class Cluster:
    """What really lives."""

    objects: dict[str, list[Body]] = field(default_factory=lambda: {"pods": [], "jobs": []})
    gets: list[str] = field(default_factory=list)
    after_lists: Callable[[], Awaitable[None]] | None = None
    refused: str = ""
    """A namespace that may not be listed."""

    async def pages(
        self, path: str, *, selector: str | None = None, metadata_only: bool = False
    ) -> AsyncIterator[Body]:
        assert selector in ("a=b", None)
        namespace = path.split("/")[-2] if "/namespaces/" in path else None
        if namespace is not None and namespace == self.refused:
            raise ForbiddenError("no")
        for each in self.objects[path.rpartition("/")[2]]:
            if namespace not in (None, each["metadata"]["namespace"]):
                continue
            yield {"items": [{"metadata": each["metadata"]} if metadata_only else each]}
        if self.after_lists is not None:
            await self.after_lists()

    async def get(self, path: str, params: dict[str, str]) -> Body:
        plural, name = path.rpartition("/")[2], params["fieldSelector"].partition("=")[2]
        self.gets.append(f"{plural} {name}")
        found = [each for each in self.objects[plural] if each["metadata"]["name"] == name]
        return {"items": found}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def paper(cluster: Cluster) -> PaperWorld:
    return PaperWorld(cluster)


@pytest.fixture
def sweeper(paper: PaperWorld) -> Sweeper:
    return _sweeper(paper)


def _repairs(kind: str) -> float:
    return float(metrics.SWEEP_REPAIRS.labels(kind)._value.get())


async def test_where_nothing_differs_nothing_is_fetched_or_counted(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    cluster.objects["jobs"] = [job("j", 5)]
    paper.intake.notice("Job", "ADDED", job("j", 5))
    before = _repairs("Job")
    await sweeper.sweep()
    assert cluster.gets == []
    assert _repairs("Job") == before


async def test_an_object_of_which_nothing_was_heard_is_taken_in(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    cluster.objects["jobs"] = [job("j", 5)]
    before = _repairs("Job")
    await sweeper.sweep()
    assert [key.name for key in await paper.woken()] == ["j"]
    assert _repairs("Job") == before + 1


async def test_a_change_that_was_not_heard_is_taken_in(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    paper.intake.notice("Pod", "ADDED", pod("p", "j", 1))
    cluster.objects["pods"] = [pod("p", "j", 9, phase="Failed")]
    await sweeper.sweep()
    held = paper.world.cache.get("Pod", "Pod-p")
    assert held is not None
    assert held["status"]["phase"] == "Failed"


async def test_a_ghost_is_buried_and_recorded(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    paper.intake.notice("Job", "ADDED", job("j", 5))
    before = _repairs("Job")
    await sweeper.sweep()
    assert cluster.gets == ["jobs j"]
    assert paper.world.cache.count("Job") == 0
    assert paper.journal.gone == ["Job j"]
    assert _repairs("Job") == before + 1


async def test_an_object_that_was_made_after_the_list_is_no_ghost(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    paper.intake.notice("Job", "ADDED", job("j", 5))

    async def made_too_late() -> None:
        cluster.objects["jobs"] = [job("j", 5)]

    cluster.after_lists = made_too_late
    await sweeper.sweep()
    assert paper.world.cache.count("Job") == 1
    assert paper.journal.gone == []


async def test_a_namesake_does_not_keep_a_ghost_alive(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    paper.intake.notice("Job", "ADDED", job("j", 5))
    cluster.objects["jobs"] = [job("j", 9, metadata={"uid": "another"})]
    await sweeper.sweep()
    held = paper.world.cache.named("Job", "team", "j")
    assert held is not None
    assert held["metadata"]["uid"] == "another"
    assert paper.journal.gone == ["Job j"]


async def test_one_that_cannot_be_taken_in_holds_up_no_sweep(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    cluster.objects["jobs"] = [job("bad", metadata={"ownerReferences": ["no object"]}), job("good")]
    with capture_logs():
        await sweeper.sweep()
    assert [key.name for key in await paper.woken()] == ["good", "bad"]
    assert paper.intake.missed.is_set()


async def test_it_sweeps_as_often_as_it_was_told_to(cluster: Cluster, paper: PaperWorld) -> None:
    looks: list[int] = []
    often = asyncio.Event()

    async def look() -> None:
        looks.append(len(cluster.gets))
        if len(looks) == 3:
            often.set()

    paper.intake.notice("Job", "ADDED", job("ghost", 5))
    with capture_logs():
        sweeping = asyncio.create_task(_sweeper(paper, period_seconds=0.01).run(look))
        async with asyncio.timeout(10):
            await often.wait()
        sweeping.cancel()
    assert looks == [0, 1, 1]


async def test_between_two_sweeps_it_looks_for_what_no_event_told(
    cluster: Cluster, paper: PaperWorld
) -> None:
    with capture_logs():
        looking = asyncio.create_task(_sweeper(paper, look_seconds=0.01).run(_never))
        cluster.objects["jobs"] = [job("j", 5)]
        async with asyncio.timeout(10):
            assert (await paper.queue.take()).name == "j"
        looking.cancel()


async def test_a_look_makes_no_pass_over_what_has_not_changed(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    cluster.objects["jobs"] = [job("j", 5)]
    paper.intake.notice("Job", "ADDED", job("j", 5))
    await paper.woken()
    await sweeper.look()
    assert await paper.woken() == []
    await sweeper.sweep()
    assert [key.name for key in await paper.woken()] == ["j"]


async def test_a_sweep_lets_who_was_refused_ask_again(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    cluster.objects["jobs"] = [job("j", 5)]
    paper.intake.notice("Job", "ADDED", job("j", 5))
    wanted = lines.request("Job-j")
    paper.world.turns.park(wanted, caps.of_workspace(wanted.job.slot.workspace))
    paper.world.refusals.keep(wanted.job.slot.workspace, "Job-j", "full", news=0)
    await sweeper.look()
    assert paper.world.refusals.of(wanted.job.slot.workspace, "Job-j") == "full"
    await sweeper.sweep()
    assert paper.world.refusals.of(wanted.job.slot.workspace, "Job-j") is None


async def _never() -> None:
    raise AssertionError("a look is no sweep")


@pytest.mark.parametrize(
    ("list_seconds", "fewest", "most"), [(0.0, 8, 12), (0.4, 3, 4), (10.0, 1, 1)]
)
def test_the_longer_a_look_takes_the_rarer_it_is(
    list_seconds: float, fewest: int, most: int
) -> None:
    """Of a period of three minutes less the time that it takes; each look reads two lists."""
    cluster = Cluster()
    begun: list[float] = []

    async def begin(time: Callable[[], float]) -> None:
        async def takes() -> None:
            begun.append(time())
            await asyncio.sleep(list_seconds)

        cluster.after_lists = takes
        paper = PaperWorld(cluster)
        looking = asyncio.create_task(
            _sweeper(paper, period_seconds=180, look_seconds=15).run(_nothing)
        )
        await asyncio.sleep(140)
        looking.cancel()

    fast_time.run(begin)
    assert fewest <= len(begun) / len(KINDS) <= most


async def _nothing() -> None:
    """There are no doors here."""


async def test_the_first_fill_lines_jobs_up_by_age(
    cluster: Cluster, paper: PaperWorld, sweeper: Sweeper
) -> None:
    young = job("a", metadata={"creationTimestamp": "2026-11-21T03:00:02Z"})
    old = job("b", metadata={"creationTimestamp": "2026-11-21T03:00:01Z"})
    cluster.objects["jobs"] = [young, old]
    await sweeper.fill()
    assert [key.name for key in await paper.woken()] == ["b", "a"]


def _narrow(cluster: Cluster, *workspaces: str) -> PaperWorld:
    """A world that reads these workspaces alone, and has read them."""
    paper = PaperWorld(cluster, reach=Reach(workspaces, ("Pod", "Job")))
    for each in workspaces:
        for kind in PLURALS.values():
            paper.world.reach.listed(each, kind)
    return paper


def _sweeper(paper: PaperWorld, period_seconds: float = 60, look_seconds: float = 60) -> Sweeper:
    rooms: Any = {"Job": paper.rooms["Job"]}
    chance = Random(1)  # noqa: S311
    return Sweeper(
        paper.world,
        paper.intake,
        rooms,
        KINDS,
        chance,
        period_seconds=period_seconds,
        settle_seconds=0,
        look_seconds=look_seconds,
    )


async def test_workspaces_that_are_named_are_swept_one_by_one(cluster: Cluster) -> None:
    paper = _narrow(cluster, "other", "team")
    cluster.objects["jobs"] = [
        job("seen"),
        job("unread", metadata={"namespace": "elsewhere"}),
        job("there", metadata={"namespace": "other"}),
    ]
    paper.intake.notice("Job", "ADDED", job("ghost", 5))
    with capture_logs():
        await _sweeper(paper).sweep()
    assert paper.journal.gone == ["Job ghost"]
    names = {each["metadata"]["name"] for each in paper.world.cache.all("Job")}
    assert names == {"seen", "there"}


async def test_a_workspace_that_is_refused_stops_no_sweep_and_is_put_in_doubt(
    cluster: Cluster,
) -> None:
    cluster.refused = "other"
    paper = _narrow(cluster, "other", "team")
    doubts: list[str] = []
    paper.world.reach.on_doubt("other", lambda: doubts.append("other"))
    paper.intake.notice("Job", "ADDED", job("there", metadata={"namespace": "other"}))
    cluster.objects["jobs"] = [job("j")]
    with capture_logs():
        await _sweeper(paper).sweep()
    assert doubts == ["other"]
    assert paper.journal.gone == []
    assert {each["metadata"]["name"] for each in paper.world.cache.all("Job")} == {"there", "j"}


async def test_nothing_of_a_lost_workspace_is_recorded_as_gone(cluster: Cluster) -> None:
    paper = _narrow(cluster, "other", "team")
    with capture_logs():
        paper.world.reach.refused("team", "Job", ForbiddenError("no"))
        paper.intake.notice("Job", "ADDED", job("j"))
        await _sweeper(paper).sweep()
    assert paper.journal.gone == []
    assert paper.journal.published == []
    assert paper.asked_of == [["other"]]
