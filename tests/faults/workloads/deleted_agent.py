"""An Agent is deleted while one of its Jobs runs and another one waits."""

from coxswain.api.conditions import ConditionType
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(
    jobs={"runs": ended("Cancelled", "Cancelled/AgentDeleted"), "waits": ended("Cancelled")},
    pods=1,
    effects=1,
)
SCRIPT = agents.hangs


async def play(scene: Scene) -> None:
    """One Agent, two Jobs, and then no Agent."""
    await scene.workspace.has_agent(quota={"concurrentJobs": 1})
    await scene.workspace.has_job("runs")
    await scene.workspace.job_runs("runs")
    await scene.agents.until_begun(1)
    await scene.workspace.has_job("waits")
    await scene.workspace.job_waits(ConditionType.QUOTA_RESERVED, "waits")
    await scene.workspace.delete("agents", "a")
    await scene.workspace.job_ends("runs")
    await scene.workspace.job_ends("waits")
    await scene.workspace.until_gone("pods")
