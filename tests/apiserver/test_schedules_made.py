"""What Schedules make: Jobs with a type, and Jobs that make each other until they are stopped."""

from pathlib import Path
from typing import Any

from tests.support import builders
from tests.support.apiserver import eventually
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation
from tests.support.postgres import Database
from tests.support.workspace import Workspace

DEPTH = 3


async def test_a_schedule_that_listens_to_its_own_jobs_stops_at_the_depth(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    listens = builders.schedule("s", "a").with_trigger(onEvent={"type": "job.succeeded"})
    kept = listens.with_spec(overlap="AllowAll", successfulJobsHistoryLimit=100)

    async def is_stopped() -> bool:
        return any(_reason(job) == "LineageTooDeep" for job in await workspace.all("jobs"))

    async def listens_now() -> bool:
        (found,) = await workspace.all("schedules")
        return bool((found.get("status") or {}).get("phase"))

    with installation.operator(database, tmp_path, max_lineage_depth=DEPTH):
        await workspace.has_agent()
        await workspace.apply(kept)
        await eventually(listens_now)
        async with Kubelet(workspace.client, namespace=workspace.namespace):
            await workspace.has_job("j")
            await eventually(is_stopped, seconds=60)
    found = await workspace.all("jobs")
    assert len(found) == 1 + DEPTH + 1
    assert sum(job["status"]["phase"] == "Succeeded" for job in found) == 1 + DEPTH


async def test_a_schedule_fires_a_report(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    template = {"agentRef": {"name": "a"}, "title": "Report", "type": "report.generate"}
    made = builders.schedule("s", "a").every(1)
    made = made.with_spec(jobTemplate={"spec": {**template, "input": "{}"}}, maxRuns=1)

    async def ended() -> bool:
        jobs = await workspace.all("jobs")
        return bool(jobs) and (jobs[0].get("status") or {}).get("phase") in ("Running", "Failed")

    async def runs(pod: Any) -> None:
        await pod.starts()

    with installation.operator(database, tmp_path):
        await workspace.has_agent()
        async with Kubelet(workspace.client, runs, namespace=workspace.namespace):
            await workspace.apply(made)
            await eventually(ended, seconds=60)
    (job,) = await workspace.all("jobs")
    assert (job["status"]["phase"], job["spec"]["type"]) == ("Running", "report.generate")


def _reason(job: dict[str, Any]) -> str | None:
    edges = (job.get("status") or {}).get("transitions") or [{}]
    found: str | None = edges[-1].get("reason")
    return found
