"""A Job is cancelled while it waits for its next attempt."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Cancelled", "Failed/ExitCode")}, pods=1, effects=1)
SCRIPT = agents.works({1: 1})
LONG = {"maxAttempts": 2, "backoffSeconds": 3600, "maxBackoffSeconds": 3600}


async def play(scene: Scene) -> None:
    """One Agent, one Job that fails, and its end."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(retry=LONG)
    await scene.workspace.until(lambda job: job.status.retry_at is not None)
    await scene.workspace.patch("jobs", "j", {"spec": {"cancel": True}})
    await scene.workspace.job_ends()
