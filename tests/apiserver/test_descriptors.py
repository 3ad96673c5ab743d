"""A machine that gives the operator few descriptors; threads it takes few by itself."""

import asyncio
import resource
from pathlib import Path

from tests.support.kubelet import Kubelet
from tests.support.leader import Installation, Operator
from tests.support.postgres import Database
from tests.support.workspace import Workspace, outcomes

DESCRIPTORS, THREADS, JOBS = 64, 32, 60


async def test_with_few_descriptors_and_threads_every_job_ends_in_one_pod(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    jobs = [f"j{number}" for number in range(JOBS)]
    with installation.operator(database, tmp_path) as operator:
        resource.prlimit(operator.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        await workspace.has_agent(quota={"concurrentJobs": JOBS})
        async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
            await asyncio.gather(*(workspace.has_job(name) for name in jobs))
            ended = [await workspace.job_ends(name) for name in jobs]
        assert [outcomes(job) for job in ended] == [["Succeeded/Completed"]] * JOBS
        assert set(kubelet.runs.values()) == {1}
        assert _threads(operator) <= THREADS
        assert "starting anew" not in operator.text


def _threads(operator: Operator) -> int:
    return len(list(Path(f"/proc/{operator.process.pid}/task").iterdir()))
