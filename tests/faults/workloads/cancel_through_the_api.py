"""A Job that runs is cancelled over HTTP: its agent hears of it by a heartbeat."""

import asyncio
from contextlib import suppress

from coxswain.errors import CoxswainError
from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support import builders
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("Cancelled", "Cancelled/Cancelled")}, pods=1, effects=1)
HAS_SIDECAR = True
SPEC = builders.job("j", "a").with_command("true").spec
LOOK_SECONDS = 0.2


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """Works until it is told to end, by a heartbeat or by its kubelet."""
    async with agents.at_the_api(pod) as worker:
        if worker is None:
            return
        await worker.tells("begun")
        # It may be closed before it hears of it.
        with suppress(CoxswainError):
            while not pod.stopping.is_set() and not await worker.lives():  # noqa: ASYNC110 - others do it
                await asyncio.sleep(LOOK_SECONDS)
        await pod.stopping.wait()


async def play(scene: Scene) -> None:
    """One Agent, one Job, one person who changes their mind."""
    await scene.workspace.has_agent()
    async with scene.api.person(scene.workspace.namespace) as person:
        job = await person.makes("j", "order-17", SPEC)
        await scene.workspace.job_runs()
        await scene.agents.until_begun(1)
        await person.cancels("j", job)
        await person.follows("j", job)
    await scene.workspace.job_ends()
