"""A Job is deleted while its agent works."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Running", "None/None", is_gone=True)}, pods=1, effects=1)
SCRIPT = agents.hangs


async def play(scene: Scene) -> None:
    """One Agent, one Job, and nothing of it."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.workspace.job_runs()
    await scene.agents.until_begun(1)
    await scene.workspace.delete("jobs", "j")
    await scene.workspace.until_gone("pods")
