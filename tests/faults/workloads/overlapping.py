"""A Schedule whose first Job still works when the second is due: it waits for its turn."""

import asyncio

from coxswain.api.kind import Schedule
from coxswain.kube import paths
from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support import builders
from tests.support.pods import FakePod

RUNS = 2
WELL = ended("Succeeded", "Succeeded/Completed")
ENDS = Ends(jobs={"s-*": (WELL,) * RUNS}, pods=RUNS, effects=RUNS)
LOOK_SECONDS = 0.1


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """Work until the other tick waits, or has had its turn."""
    if await agents.begins(pod):
        while not await _is_other_due(agents, pod):  # noqa: ASYNC110 - the operator says so
            await asyncio.sleep(LOOK_SECONDS)
        await agents.says(pod, "succeeded")
        await pod.ends(0)


async def play(scene: Scene) -> None:
    """One Agent, one Schedule that never has two Jobs at once."""
    await scene.workspace.has_agent()
    made = builders.schedule("s", "a").every(1).with_spec(maxRuns=RUNS, overlap="BufferOne")
    await scene.workspace.apply(made)
    while not await _is_over(scene):  # noqa: ASYNC110 - the operator fires
        await asyncio.sleep(LOOK_SECONDS)


async def _is_other_due(agents: Agents, pod: FakePod) -> bool:
    if len(agents.effects()) == RUNS:
        return True
    found = await pod.client.get(paths.of("schedules", pod.namespace, "s"))
    return Schedule.parse(found).status.waiting > 0


async def _is_over(scene: Scene) -> bool:
    (found,) = await scene.workspace.all("schedules")
    status = Schedule.parse(found).status
    return status.fired == RUNS and status.running == 0
