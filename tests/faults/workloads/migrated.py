"""The operator leads on the schema of an earlier version: what is made waits until that has come to head."""

from coxswain.api.conditions import ConditionType, find
from coxswain.api.kind import Job
from coxswain.store import migrate, schema
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support import builders

WELL = ended("Succeeded", "Succeeded/Completed")
ENDS = Ends(jobs={"first": WELL, "second": WELL}, pods=2, effects=2)
SCRIPT = agents.answers()
REVISION = 12


async def play(scene: Scene) -> None:
    """One Agent, two Jobs, and a migration between them."""
    await scene.workspace.apply(builders.agent("a"))
    await scene.workspace.has_job("first")
    await scene.workspace.until(_says_why, "first")
    await migrate.upgrade(scene.database.owner)
    await scene.workspace.has_job("second")
    await scene.workspace.job_ends("first")
    await scene.workspace.job_ends("second")


def _says_why(job: Job) -> bool:
    """Whether people read there which schema is wanted."""
    seen = find(job.status.conditions, ConditionType.RECONCILING)
    return seen is not None and f"this version needs {schema.REVISION}" in (seen.message or "")
