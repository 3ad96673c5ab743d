"""Jobs that are made at the same moment run at the same time, each in one pod, and all succeed."""

import asyncio

import pytest

from coxswain import names
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.workspace import Workspace, outcomes

pytestmark = pytest.mark.usefixtures("operator")


@pytest.mark.parametrize("count", [3, 100])
async def test_jobs_that_are_made_together_run_together_and_all_succeed(
    workspace: Workspace, count: int
) -> None:
    all_run = asyncio.Event()

    async def holds(pod: FakePod) -> None:
        await pod.starts()
        await all_run.wait()
        await pod.ends()

    jobs = [f"j{number}" for number in range(count)]
    await workspace.has_agent(quota={"concurrentJobs": count})
    async with Kubelet(workspace.client, holds, namespace=workspace.namespace) as kubelet:
        await asyncio.gather(*(workspace.has_job(name) for name in jobs))
        for name in jobs:
            await workspace.job_runs(name)
        all_run.set()
        ended = [await workspace.job_ends(name) for name in jobs]
    assert kubelet.faults == []
    assert [outcomes(job) for job in ended] == [["Succeeded/Completed"]] * count
    assert {job.status.phase for job in ended} == {"Succeeded"}
    pods = [names.attempt_pod(job.metadata.name, job.metadata.uid, 1) for job in ended]
    assert kubelet.runs == dict.fromkeys(pods, 1)
