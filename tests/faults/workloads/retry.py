"""A Job whose first attempt fails is tried again, and succeeds."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(
    jobs={"j": ended("Succeeded", "Failed/ExitCode", "Succeeded/Completed")}, pods=2, effects=2
)
SCRIPT = agents.works({1: 1})


async def play(scene: Scene) -> None:
    """One Agent, one Job."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(retry={"maxAttempts": 2, "backoffSeconds": 0})
    await scene.workspace.job_ends()
