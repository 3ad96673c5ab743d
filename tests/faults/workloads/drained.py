"""A node is drained under a Job; the attempt does not count, and another one succeeds."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(
    jobs={"j": ended("Succeeded", "Lost/PodLost", "Succeeded/Completed")}, pods=2, effects=2
)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """The first pod is taken away."""
    if await agents.begins(pod):
        await (pod.is_disrupted("EvictionByEvictionAPI") if pod.attempt == 1 else pod.ends(0))


async def play(scene: Scene) -> None:
    """One Agent, one Job that may be tried once."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.workspace.job_ends()
