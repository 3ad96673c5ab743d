"""A pod vanishes in the middle of an act: a person has to look, and says that it is to be tried again."""

import json
from uuid import uuid4

from coxswain import names
from coxswain.api.job import JobPhase
from tests.faults.agents import Agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene
from tests.support.pods import FakePod

ENDS = Ends(
    jobs={"j": ended("Succeeded", "Failed/OutcomeUnknown", "Succeeded/Completed")},
    pods=2,
    effects=2,
)
WORD = {"attempt": 1, "decision": "retry", "by": "ada", "why": "looked"}


async def SCRIPT(agents: Agents, pod: FakePod) -> None:  # noqa: N802 - a constant to who reads it
    """The first pod begins an act, and vanishes."""
    if not await agents.begins(pod):
        return
    if pod.attempt == 1:
        await agents.acts(pod, uuid4(), "send mail")
        await pod.vanishes()
    else:
        await pod.ends(0)


async def play(scene: Scene) -> None:
    """One Agent, one Job, one person."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.workspace.until(lambda job: job.status.phase is JobPhase.REVIEW)
    said = {"annotations": {names.ANNOTATION_REVIEW: json.dumps(WORD)}}
    await scene.workspace.patch("jobs", "j", {"metadata": said})
    await scene.workspace.job_ends()
