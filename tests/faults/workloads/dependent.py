"""A Job that waits for another one, which fails once before it succeeds."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(
    jobs={
        "write": ended("Succeeded", "Succeeded/Completed"),
        "fetch": ended("Succeeded", "Failed/ExitCode", "Succeeded/Completed"),
    },
    pods=3,
    effects=3,
)
RETRY = {"maxAttempts": 2, "backoffSeconds": 0}
SCRIPT = agents.works_as({"fetch": {1: 1}})


async def play(scene: Scene) -> None:
    """One Agent, two Jobs, the later one first."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job("write", dependsOn=[{"name": "fetch"}])
    await scene.workspace.has_job("fetch", retry=RETRY)
    await scene.workspace.job_ends("write")
