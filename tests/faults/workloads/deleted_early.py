"""A Job is deleted as soon as its attempt has a row, before anything of it could run."""

import asyncio

from coxswain.api.kind import Job
from tests.faults.agents import LOOK_SECONDS, Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("None", is_gone=True)}, effects=0)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """It does not get further."""
    agents.comes(pod)
    await pod.stopping.wait()


async def play(scene: Scene) -> None:
    """One Agent, one Lease, one Job that wants it, and nothing of that Job."""
    await scene.workspace.has_agent()
    await scene.workspace.has_lease()
    job = await scene.workspace.has_job(leases=["deploy"])
    while await scene.ledger.run(job) is None:  # noqa: ASYNC110 - the operator opens it
        await asyncio.sleep(LOOK_SECONDS)
    await scene.workspace.delete("jobs", "j")
    while not await _is_closed(scene, job):  # noqa: ASYNC110 - the operator closes it
        await asyncio.sleep(LOOK_SECONDS)
    await scene.workspace.until_gone("pods")
    await scene.workspace.lease_is(lambda lease: lease.status.state == "Free")


async def _is_closed(scene: Scene, job: Job) -> bool:
    run = await scene.ledger.run(job)
    return run is not None and run.closed_at is not None
