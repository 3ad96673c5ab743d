"""A Job is made, followed and worked on over HTTP, from its key to its result."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support import builders
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
HAS_SIDECAR = True
SPEC = builders.job("j", "a").with_command("true").spec


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """Claims, tells of its work in two batches, lives, and answers."""
    async with agents.at_the_api(pod) as worker:
        if worker is None:
            return
        await worker.tells("one", "two")
        await worker.lives()
        await worker.tells("three")
        await worker.says("succeeded", answer="done")
        await pod.ends(0)


async def play(scene: Scene) -> None:
    """One Agent, one Job, one person who asks for it twice under one key."""
    await scene.workspace.has_agent()
    async with scene.api.person(scene.workspace.namespace) as person:
        job = await person.makes("j", "order-17", SPEC)
        await person.makes("j", "order-17", SPEC)
        await person.follows("j", job)
    await scene.workspace.job_ends()
