"""A pod that used more than it may is evicted; that uses up the one attempt."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("Failed", "Failed/Evicted")}, pods=1, effects=1)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """It fills the disk."""
    if await agents.begins(pod):
        await pod.is_evicted(message="the pod used too much disk")


async def play(scene: Scene) -> None:
    """One Agent, one Job."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.workspace.job_ends()
