"""Two Jobs of an Agent that takes one at a time."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

WELL = ended("Succeeded", "Succeeded/Completed")
ENDS = Ends(jobs={"first": WELL, "second": WELL}, pods=2, effects=2)
SCRIPT = agents.answers()


async def play(scene: Scene) -> None:
    """One Agent, two Jobs at once."""
    await scene.workspace.has_agent(quota={"concurrentJobs": 1})
    await scene.workspace.has_job("first")
    await scene.workspace.has_job("second")
    await scene.workspace.job_ends("first")
    await scene.workspace.job_ends("second")
