"""A pod whose image is not to be had fails in time, without having run."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("Failed", "Failed/ImagePull")}, pods=1, effects=0)
WAITS = 9.0
"""What its Agent gives a pod to start; the API server's times are whole seconds."""


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """It waits for its image."""
    await pod.waits("ImagePullBackOff", "no such image")
    await pod.stopping.wait()


async def play(scene: Scene) -> None:
    """One Agent with little patience, one Job."""
    await scene.workspace.has_agent(limits={"startTimeoutSeconds": 10})
    await scene.workspace.has_job()
    await scene.workspace.job_ends()
    await scene.workspace.until_gone("pods")
