"""A Job for which the workspace's quota has no room waits, and runs when it is raised."""

from coxswain import names
from coxswain.api.conditions import ConditionType
from coxswain.kube import paths
from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

NAMES = ("first", "second")
ENDS = Ends(jobs=dict.fromkeys(NAMES, ended("Succeeded", "Succeeded/Completed")), pods=2, effects=2)


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """Work until both have begun."""
    if await agents.begins(pod):
        await agents.until_begun(len(NAMES))
        await agents.says(pod, "succeeded")
        await pod.ends(0)


async def play(scene: Scene) -> None:
    """Room for one pod, and then for all: a creation that was refused may have been counted."""
    await scene.workspace.has_agent()
    await _has_room(scene, 1)
    await scene.workspace.has_job("first")
    await scene.agents.until_begun(1)
    await scene.workspace.has_job("second")
    await scene.workspace.job_waits(ConditionType.QUOTA_RESERVED, "second")
    await _has_room(scene, 100)
    for name in NAMES:
        await scene.workspace.job_ends(name)


async def _has_room(scene: Scene, pods: int) -> None:
    """Bound the workspace's pods; the status is written by hand, since no quota controller runs here."""
    hard = {"hard": {"pods": str(pods)}}
    path = paths.of("resourcequotas", scene.workspace.namespace, names.POD_QUOTA)
    await scene.workspace.client.patch(path, {"spec": hard})
    await scene.workspace.client.patch(f"{path}/status", {"status": hard})
