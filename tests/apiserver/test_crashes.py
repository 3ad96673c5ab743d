"""Whoever leads is killed at random moments while Jobs run: nothing is lost, nothing done twice."""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from coxswain import names
from coxswain.api.kind import Job
from coxswain.kube import paths
from coxswain.store import mirror, outbox
from tests.support import postgres, replay
from tests.support.kubelet import Kubelet
from tests.support.leader import HOME, Installation, Operator
from tests.support.pods import FakePod
from tests.support.postgres import Database
from tests.support.workspace import Ledger, Workspace, outcomes

JOBS = 200
KILLS = 7
SEED = 20261121
LEASE = f"{paths.coordination_leases(HOME)}/coxswain-operator"
WELL = ["job.running", "attempt.started", "attempt.ended"]


async def test_two_hundred_jobs_survive_the_death_of_their_leaders(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    jobs = [f"j{n:03}" for n in range(JOBS)]
    with (
        installation.operator(database, tmp_path, "one") as one,
        installation.operator(database, tmp_path, "two") as two,
    ):
        await workspace.has_agent(quota={"concurrentJobs": 20})
        async with Kubelet(
            workspace.client, _half_fail_once, namespace=workspace.namespace
        ) as kubelet:
            spec: dict[str, Any] = {
                "retry": {"maxAttempts": 2, "backoffSeconds": 0},
                "callback": {"url": "https://receiver.example/hook"},
            }
            await asyncio.gather(*(workspace.has_job(name, **spec) for name in jobs))
            await _kill_leaders(workspace, {"one": one, "two": two})
            ended = [await workspace.job_ends(name, seconds=90) for name in jobs]
            assert not kubelet.faults
        async with postgres.opened(database.sidecar) as store:
            for job in ended:
                is_odd = int(job.metadata.name[1:]) % 2 == 1
                first = ["Failed/ExitCode"] if is_odd else []
                assert outcomes(job) == [*first, "Succeeded/Completed"]
                again = [*WELL, "job.retrying"] if is_odd else []
                types = await Ledger(store).until(job.metadata.uid, "job.succeeded")
                assert types == ["job.created", "job.queued", *again, *WELL, "job.succeeded"]
                told = [each.event for each in await Ledger(store).events(job.metadata.uid)]
                recorded = await store.run(mirror.by_uid, job.metadata.uid)
                assert recorded is not None
                status = Job.recorded(recorded.body).status
                assert replay.of_job(told) == replay.told_of(status)
                assert (replay.of_job(told).phase, len(status.attempts)) == (
                    job.status.phase,
                    1 + is_odd,
                )
            owed = await store.run(
                outbox.page, outbox.Query(frozenset({workspace.namespace})), limit=2 * JOBS
            )
    assert sorted(each.job_name for each in owed.items) == jobs
    assert set(kubelet.runs.values()) == {1}
    assert len(kubelet.runs) == JOBS + JOBS // 2
    assert Counter(pod["metadata"]["name"] for pod in await workspace.pods()) == kubelet.runs


async def _half_fail_once(pod: FakePod) -> None:
    await pod.starts()
    is_odd = int(pod.raw["metadata"]["labels"][names.LABEL_JOB][1:]) % 2 == 1
    await pod.ends(1 if is_odd and pod.attempt == 1 else 0)


async def _kill_leaders(workspace: Workspace, replicas: dict[str, Operator]) -> None:
    """Each time somebody new leads, let it work for a moment, and kill it."""
    random = Random(SEED)  # noqa: S311 - the same moments each time
    known = 0
    for _ in range(KILLS):
        known, leader = await _next_leader(workspace, known)
        await asyncio.sleep(random.uniform(0.1, 1.0))
        replicas[leader].crash()
    left = [
        job for job in await workspace.all("jobs") if not job.get("status", {}).get("finishedAt")
    ]
    assert left, "all was over before the last kill: the test proves less than it says"


async def _next_leader(workspace: Workspace, known: int) -> tuple[int, str]:
    async with asyncio.timeout(30):
        while True:
            spec = (await workspace.client.get(LEASE))["spec"]
            if int(spec["leaseTransitions"]) > known and spec["holderIdentity"]:
                return int(spec["leaseTransitions"]), spec["holderIdentity"].partition("_")[0]
            await asyncio.sleep(0.02)
