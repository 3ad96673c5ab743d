"""A Job is cancelled while its agent works."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Cancelled", "Cancelled/Cancelled")}, pods=1, effects=1)
SCRIPT = agents.hangs


async def play(scene: Scene) -> None:
    """One Agent, one Job, and its end."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(retry={"maxAttempts": 3, "backoffSeconds": 0})
    await scene.workspace.job_runs()
    await scene.agents.until_begun(1)
    await scene.workspace.patch("jobs", "j", {"spec": {"cancel": True}})
    await scene.workspace.job_ends()
