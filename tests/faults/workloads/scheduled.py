"""A Schedule that fires twice, one second after the other, and then has done all that it may."""

import asyncio

from coxswain.api.kind import Schedule
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support import builders

RUNS = 2
WELL = ended("Succeeded", "Succeeded/Completed")
ENDS = Ends(jobs={"s-*": (WELL,) * RUNS}, pods=RUNS, effects=RUNS)
SCRIPT = agents.answers()
LOOK_SECONDS = 0.1


async def play(scene: Scene) -> None:
    """One Agent, one Schedule."""
    await scene.workspace.has_agent()
    await scene.workspace.apply(builders.schedule("s", "a").every(1).with_spec(maxRuns=RUNS))
    while not await _is_over(scene):  # noqa: ASYNC110 - others do it
        await asyncio.sleep(LOOK_SECONDS)


async def _is_over(scene: Scene) -> bool:
    (found,) = await scene.workspace.all("schedules")
    status = Schedule.parse(found).status
    return status.fired == RUNS and status.running == 0
