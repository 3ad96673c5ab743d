"""A Job whose agent does not end in time."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Failed", "Failed/Timeout")}, pods=1, effects=1)
SCRIPT = agents.hangs
WAITS = 10.0
"""The second that the Job has, and ten more in which its agent may say so itself; times are whole seconds."""


async def play(scene: Scene) -> None:
    """One Agent, one Job, and no pod that is left."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(timeoutSeconds=1)
    await scene.workspace.job_ends()
    await scene.workspace.until_gone("pods")
