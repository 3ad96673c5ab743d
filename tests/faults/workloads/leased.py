"""Two Jobs that need the same lease, one after the other."""

from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

WELL = ended("Succeeded", "Succeeded/Completed")
ENDS = Ends(jobs={"first": WELL, "second": WELL}, pods=2, effects=2)
SCRIPT = agents.answers()


async def play(scene: Scene) -> None:
    """One Agent, one Lease, two Jobs."""
    await scene.workspace.has_agent()
    await scene.workspace.has_lease()
    await scene.workspace.has_job("first", leases=["deploy"])
    await scene.workspace.has_job("second", leases=["deploy"])
    await scene.workspace.job_ends("first")
    await scene.workspace.job_ends("second")
    await scene.workspace.lease_is(lambda lease: lease.status.state == "Free")
