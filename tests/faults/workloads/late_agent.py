"""A Job waits for an Agent that is made after it."""

from coxswain.api.conditions import ConditionType
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
SCRIPT = agents.answers()


async def play(scene: Scene) -> None:
    """One Job, and then its Agent."""
    await scene.workspace.has_job()
    await scene.workspace.job_waits(ConditionType.AGENT_READY)
    await scene.workspace.has_agent()
    await scene.workspace.job_ends()
