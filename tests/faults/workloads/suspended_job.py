"""A Job that is suspended from its beginning is let go on."""

from coxswain.api.conditions import ConditionType, find
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
SCRIPT = agents.works()


async def play(scene: Scene) -> None:
    """One Agent, one Job that has to wait."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(suspend=True)
    await scene.workspace.until(
        lambda job: find(job.status.conditions, ConditionType.SUSPENDED) is not None
    )
    await scene.workspace.patch("jobs", "j", {"spec": {"suspend": False}})
    await scene.workspace.job_ends()
