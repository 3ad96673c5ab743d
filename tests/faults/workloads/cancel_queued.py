"""A Job that waits for an Agent that nobody makes is cancelled."""

from coxswain.api.conditions import ConditionType
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Cancelled")}, pods=0, effects=0)
SCRIPT = agents.works()


async def play(scene: Scene) -> None:
    """One Job, and its end."""
    await scene.workspace.has_job(agent="nobody")
    await scene.workspace.job_waits(ConditionType.AGENT_READY)
    await scene.workspace.patch("jobs", "j", {"spec": {"cancel": True}})
    await scene.workspace.job_ends()
