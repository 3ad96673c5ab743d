"""The failure of a Job goes down to the one that waits for it, but not where it is to be ignored."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(
    jobs={
        "report": ended("Succeeded", "Succeeded/Completed"),
        "write": ended("Failed"),
        "fetch": ended("Failed", "Failed/ExitCode"),
    },
    pods=2,
    effects=2,
)
SCRIPT = agents.works_as({"fetch": {1: 3}})


async def play(scene: Scene) -> None:
    """One Agent, three Jobs."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job("report", dependsOn=[{"name": "fetch", "onFailure": "Ignore"}])
    await scene.workspace.has_job("write", dependsOn=[{"name": "fetch"}])
    await scene.workspace.has_job("fetch")
    await scene.workspace.job_ends("write")
    await scene.workspace.job_ends("report")
