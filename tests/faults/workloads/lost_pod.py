"""The pod of an agent that works vanishes, and the Job is tried again."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(
    jobs={"j": ended("Succeeded", "Lost/PodLost", "Succeeded/Completed")}, pods=2, effects=2
)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """The first pod vanishes without a word."""
    if await agents.begins(pod):
        await (pod.vanishes() if pod.attempt == 1 else pod.ends(0))


async def play(scene: Scene) -> None:
    """One Agent, one Job."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(retry={"maxAttempts": 2, "backoffSeconds": 0})
    await scene.workspace.job_ends()
