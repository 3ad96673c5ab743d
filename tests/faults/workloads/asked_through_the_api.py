"""An agent asks people about a call of a tool over HTTP, and one of them agrees over HTTP."""

import asyncio
from typing import Any

from tests.faults import callers
from tests.faults.agents import Agents
from tests.faults.callers import Person
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support import builders
from tests.support.pods import FakePod

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
HAS_SIDECAR = True
SPEC = builders.job("j", "a").with_command("true").spec
TOOL = "run_command"
AGENT: dict[str, Any] = {
    "tools": {"allow": [TOOL], "ask": [TOOL]},
    "approvals": {"approvers": [callers.PERSON], "timeoutSeconds": 900},
}
LOOK_SECONDS = 0.2


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """Asks until there is an answer, and says which."""
    async with agents.at_the_api(pod) as worker:
        if worker is None:
            return
        while (found := await worker.asks_about(TOOL, "rm -r /")).state == "ApprovalPending":  # noqa: ASYNC110 - a person does it
            await asyncio.sleep(LOOK_SECONDS)
        await worker.says("succeeded" if found.state == "Approved" else "failed")
        await pod.ends(0)


async def play(scene: Scene) -> None:
    """One Agent that has to ask, one Job, one person."""
    await scene.workspace.has_agent(**AGENT)
    async with scene.api.person(scene.workspace.namespace) as person:
        await person.makes("j", "order-17", SPEC)
        await _agrees(person)
    await scene.workspace.job_ends()


async def _agrees(person: Person) -> None:
    while not (shown := await person.client.approvals.calls(person.workspace, "j")):  # noqa: ASYNC110 - the agent does it
        await asyncio.sleep(LOOK_SECONDS)
    await person.agrees(shown[0])
