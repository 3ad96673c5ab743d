"""Operators of a next version come in place of those that lead: one Job runs through it, others wait and begin."""

from coxswain import names
from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

WELL = ended("Succeeded", "Succeeded/Completed")
ENDS = Ends(
    jobs={
        "long": WELL,
        "fails": ended("Succeeded", "Failed/ExitCode", "Succeeded/Completed"),
        "meanwhile": WELL,
    },
    pods=4,
    effects=4,
)
REPLICAS = 2
NEXT = {"agent_image": "localhost/agent:next"}


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """The long one works until all others have begun; another one fails at first."""
    if not await agents.begins(pod):
        return
    match pod.raw["metadata"]["labels"][names.LABEL_JOB]:
        case "long":
            await agents.until_begun(4)
            await agents.says(pod, "succeeded")
            await pod.ends(0)
        case "fails":
            await pod.ends(1 if pod.attempt == 1 else 0)
        case _:
            await pod.ends(0)


async def play(scene: Scene) -> None:
    """One Agent that takes two Jobs at a time, three Jobs, and an upgrade."""
    await scene.workspace.has_agent(quota={"concurrentJobs": 2})
    await scene.workspace.has_job("long")
    await scene.agents.until_begun(1)
    await scene.workspace.has_job("fails", retry={"maxAttempts": 2, "backoffSeconds": 1})
    await scene.agents.until_begun(2)
    await scene.operators.roll(**NEXT)
    await scene.workspace.has_job("meanwhile")
    for name in ENDS.jobs:
        await scene.workspace.job_ends(name)
