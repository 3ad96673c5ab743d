"""A Job goes away by itself after its end."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed", is_gone=True)}, pods=1, effects=1)
SCRIPT = agents.answers()


async def play(scene: Scene) -> None:
    """One Agent, one Job, and nothing of it."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(ttlSecondsAfterFinished=1)
    await scene.workspace.until_gone("jobs")
    await scene.workspace.until_gone("pods")
