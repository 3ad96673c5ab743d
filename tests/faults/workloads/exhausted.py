"""A Job that fails in each of its three attempts."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Failed", *["Failed/ExitCode"] * 3)}, pods=3, effects=3)
SCRIPT = agents.works({1: 3, 2: 3, 3: 3})


async def play(scene: Scene) -> None:
    """One Agent, one Job."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(retry={"maxAttempts": 3, "backoffSeconds": 0})
    await scene.workspace.job_ends()
