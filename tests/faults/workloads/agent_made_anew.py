"""An Agent is deleted and made again under its name; the Job that comes then is the new one's."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
SCRIPT = agents.answers()


async def play(scene: Scene) -> None:
    """Two Agents of one name, one Job."""
    await scene.workspace.has_agent()
    await scene.workspace.delete("agents", "a")
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.workspace.job_ends()
