"""A Job that wants a person's word gets it after its attempt, and has succeeded."""

import json

from coxswain import names
from coxswain.api.job import JobPhase
from tests.faults import agents
from tests.faults.ends import Ends, ended
from tests.faults.workload import Scene

ENDS = Ends(jobs={"j": ended("Succeeded", "Succeeded/Completed")}, pods=1, effects=1)
SCRIPT = agents.answers()
WORD = {"attempt": 1, "decision": "succeed", "by": "ada", "why": "looked"}


async def play(scene: Scene) -> None:
    """One Agent, one Job, one person."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job(review={"required": True})
    await scene.workspace.until(lambda job: job.status.phase is JobPhase.REVIEW)
    said = {"annotations": {names.ANNOTATION_REVIEW: json.dumps(WORD)}}
    await scene.workspace.patch("jobs", "j", {"metadata": said})
    await scene.workspace.job_ends()
