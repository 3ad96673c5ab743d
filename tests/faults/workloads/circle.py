"""Jobs that wait for each other in a circle all fail, and no pod is made."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

CIRCLE = {"a1": "a2", "a2": "a3", "a3": "a1"}
ENDS = Ends(jobs=dict.fromkeys(CIRCLE, ended("Failed")), pods=0, effects=0)
SCRIPT = agents.works()


async def play(scene: Scene) -> None:
    """One Agent, three Jobs."""
    await scene.workspace.has_agent()
    for name, other in CIRCLE.items():
        await scene.workspace.has_job(name, dependsOn=[{"name": other}])
    for name in CIRCLE:
        await scene.workspace.job_ends(name)
