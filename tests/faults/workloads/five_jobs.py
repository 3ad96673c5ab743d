"""Five Jobs of an Agent that takes two at a time."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

NAMES = [f"j{n}" for n in range(5)]
ENDS = Ends(jobs=dict.fromkeys(NAMES, ended("Succeeded", "Succeeded/Completed")), pods=5, effects=5)
SCRIPT = agents.answers()


async def play(scene: Scene) -> None:
    """One Agent, five Jobs at once."""
    await scene.workspace.has_agent(quota={"concurrentJobs": 2})
    for name in NAMES:
        await scene.workspace.has_job(name)
    for name in NAMES:
        await scene.workspace.job_ends(name)
