"""A Schedule that fires twice, one second after the other, and then has done all that it may."""

import asyncio

from coxswain.api.job import TERMINAL
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support import builders

RUNS = 2
ENDS = Ends(
    jobs={"s-*": (ended("Succeeded", "Succeeded/Completed"),) * RUNS}, pods=RUNS, effects=RUNS
)
SCRIPT = agents.answers()
LOOK_SECONDS = 0.1


async def play(scene: Scene) -> None:
    """One Agent, one Schedule."""
    await scene.workspace.has_agent()
    await scene.workspace.apply(builders.schedule("s", "a").every(1).with_spec(maxRuns=RUNS))
    while not await _has_run(scene):  # noqa: ASYNC110 - others do it
        await asyncio.sleep(LOOK_SECONDS)


async def _has_run(scene: Scene) -> bool:
    jobs = await scene.workspace.all("jobs")
    phases = [(each.get("status") or {}).get("phase") for each in jobs]
    return sum(phase in TERMINAL for phase in phases) >= RUNS
