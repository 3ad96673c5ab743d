"""A result that says that another attempt is no use ends the Job, though it may be tried again."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("Failed", "Failed/StepLimit")}, pods=1, effects=1)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """It has taken too many steps."""
    if await agents.begins(pod):
        await agents.says(pod, "failed", reason="StepLimit", message="too long")
        await pod.ends(1)


async def play(scene: Scene) -> None:
    """One Agent, one Job."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(retry={"maxAttempts": 3, "backoffSeconds": 0})
    await scene.workspace.job_ends()
