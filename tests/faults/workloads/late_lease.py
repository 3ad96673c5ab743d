"""A Job waits for a Lease that is made after it."""

from coxswain.api.conditions import ConditionType
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
SCRIPT = agents.answers()


async def play(scene: Scene) -> None:
    """One Agent, one Job, and then its Lease."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(leases=["deploy"])
    await scene.workspace.job_waits(ConditionType.LEASE_HELD)
    await scene.workspace.has_lease()
    await scene.workspace.job_ends()
    await scene.workspace.lease_is(lambda lease: lease.status.state == "Free")
