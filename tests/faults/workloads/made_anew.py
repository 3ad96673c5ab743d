"""A Job is deleted while its agent works, and another one of its name is made at once."""

from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

FORMER = ended("Running", "None/None", is_gone=True)
ENDS = Ends(jobs={"j": (FORMER, ended("Succeeded", "Succeeded/Completed"))}, pods=2, effects=2)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """The agent of the first works until it is told to end, that of the second ends by itself."""
    if await agents.begins(pod):
        is_first = agents.effects()[0].pod == pod.uid
        await (pod.stopping.wait() if is_first else pod.ends(0))


async def play(scene: Scene) -> None:
    """One Agent, two Jobs of one name."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.workspace.job_runs()
    await scene.agents.until_begun(1)
    await scene.workspace.delete("jobs", "j")
    await scene.workspace.has_job()
    await scene.workspace.job_ends()
