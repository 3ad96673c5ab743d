"""A lease is taken, kept and let go over HTTP by one program after the other, and then a Job has it."""

from coxswain.api.conditions import ConditionType
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
HAS_SIDECAR = True
SCRIPT = agents.answers()


async def play(scene: Scene) -> None:
    """One Lease, two programs of a person, and a Job that waits for the second."""
    await scene.workspace.has_agent()
    await scene.workspace.has_lease(ttlSeconds=300)
    async with scene.api.person(scene.workspace.namespace) as person:
        first = await person.takes("deploy", "first")
        await person.keeps("deploy", "first", first)
        await person.lets_go("deploy", "first", first)
        second = await person.takes("deploy", "second")
        await scene.workspace.has_job(leases=["deploy"])
        await scene.workspace.job_waits(ConditionType.LEASE_HELD)
        await person.lets_go("deploy", "second", second)
    await scene.workspace.job_ends()
    await scene.workspace.lease_is(lambda lease: lease.status.state == "Free")
