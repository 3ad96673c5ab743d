"""A Job is cancelled while its pod is being made ready."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("Cancelled", "Cancelled/Cancelled")}, pods=1, effects=0)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """It does not get further."""
    agents.comes(pod)
    await pod.waits("ContainerCreating")
    await pod.stopping.wait()


async def play(scene: Scene) -> None:
    """One Agent, one Job, and its end."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.agents.until_come(1)
    await scene.workspace.patch("jobs", "j", {"spec": {"cancel": True}})
    await scene.workspace.job_ends()
