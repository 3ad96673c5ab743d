"""An Agent is suspended and let go on: the Job that came meanwhile waits, and runs then."""

from coxswain.api.conditions import ConditionType
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
SCRIPT = agents.works()


async def play(scene: Scene) -> None:
    """One Agent that is not at work for a while, one Job."""
    await scene.workspace.has_agent()
    await scene.workspace.patch("agents", "a", {"spec": {"suspend": True}})
    await scene.workspace.agent_is("a", "Suspended")
    await scene.workspace.has_job()
    await scene.workspace.job_waits(ConditionType.AGENT_READY)
    await scene.workspace.patch("agents", "a", {"spec": {"suspend": False}})
    await scene.workspace.job_ends()
