"""Deliveries while somebody is killed: each makes one Job."""

from pathlib import Path

import pytest

from tests.support import outside
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation
from tests.support.outside import HOOK
from tests.support.postgres import Database
from tests.support.workspace import Workspace


@pytest.mark.parametrize("victim", ["operator", "gateway"])
async def test_deliveries_make_one_job_each_whoever_is_killed_in_between(
    workspace: Workspace,
    installation: Installation,
    database: Database,
    tmp_path: Path,
    victim: str,
) -> None:
    with installation.operator(database, tmp_path) as one:
        await workspace.has_agent(quota={"concurrentJobs": 100})
        await outside.has_secret(workspace)
        uid = await outside.has_schedule(workspace, database, webhook=HOOK)
        more = {"overlap": "AllowAll", "successfulJobsHistoryLimit": 100}
        await workspace.patch("schedules", "s", {"spec": more})
        taken: list[int] = []
        async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
            async with outside.gateway(installation, database) as first:
                for n in range(6):
                    taken.append(await outside.post(first, workspace, f"msg_{n}"))
                if victim == "operator":
                    one.crash()
                else:
                    await first.kill()
            async with outside.gateway(installation, database) as second:
                # Whoever heard no answer sends it again.
                for n in range(12):
                    taken.append(await outside.post(second, workspace, f"msg_{n}"))
                rows = await outside.fired(database, uid, 12)
        assert set(taken) == {202}
        assert sorted(row.cause["delivery"] for row in rows) == sorted(
            f"msg_{n}" for n in range(12)
        )
        jobs = [each["metadata"]["name"] for each in await workspace.all("jobs")]
        assert sorted(jobs) == sorted(str(row.job_name) for row in rows)
        assert not kubelet.faults
