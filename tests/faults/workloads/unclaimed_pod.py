"""A pod vanishes before it claimed its run: it is made again, and the attempt is the same."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=2, effects=1)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """The first pod vanishes at once."""
    if agents.comes(pod) == 1:
        await pod.vanishes()
    elif await agents.begins(pod):
        await pod.ends(0)


async def play(scene: Scene) -> None:
    """One Agent, one Job."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.workspace.job_ends()
