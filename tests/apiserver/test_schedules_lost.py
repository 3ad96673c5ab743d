"""Ticks while leaders die, freeze and hand over: each has one outcome and at most one Job."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from coxswain import names
from coxswain.kube import paths
from coxswain.store import ticks
from coxswain.store.pool import Store
from tests.support import builders, postgres
from tests.support.kubelet import Kubelet
from tests.support.leader import HOME, Installation, Operator
from tests.support.postgres import Database
from tests.support.workspace import Workspace

POLICIES = ("Skip", "AllowAll", "BufferOne")
KILLS = 3
LEASE = f"{paths.coordination_leases(HOME)}/coxswain-operator"
EVERY = timedelta(seconds=2)


async def test_each_tick_has_one_outcome_and_one_job_while_leaders_die(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    found = {policy.lower(): policy for policy in POLICIES}
    with (
        installation.operator(database, tmp_path, "one") as one,
        installation.operator(database, tmp_path, "two") as two,
    ):
        await workspace.has_agent(quota={"concurrentJobs": 100})
        async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
            for name, policy in found.items():
                made = builders.schedule(name, "a").every(2).with_spec(overlap=policy)
                await workspace.apply(
                    made.with_spec(successfulJobsHistoryLimit=100, catchUpWindowSeconds=10)
                )
            await _lose_leaders({"one": one, "two": two}, workspace)
            for name in found:
                await workspace.patch("schedules", name, {"spec": {"suspend": True}})
            async with asyncio.timeout(120):
                while not await _is_at_rest(workspace):  # noqa: ASYNC110 - the operator's work
                    await asyncio.sleep(0.2)
            assert not kubelet.faults
        jobs = await workspace.all("jobs")
        async with postgres.opened(database.operator) as store:
            for raw in await workspace.all("schedules"):
                await _check(store, raw, jobs)
    assert set(kubelet.runs.values()) == {1}


async def _check(store: Store, raw: dict[str, Any], jobs: list[dict[str, Any]]) -> None:
    uid = raw["metadata"]["uid"]
    (standing,) = await store.run(ticks.standing, [uid])
    assert standing.state is not None
    rows = await store.run(ticks.page, uid, None, limit=500)
    begin = datetime.fromisoformat(raw["metadata"]["creationTimestamp"]).astimezone(UTC)
    through = standing.state.through
    first = next(_each(begin))
    wanted = [first + n * EVERY for n in range((through - first) // EVERY + 1)]
    covered = [row.at + n * EVERY for row in rows for n in range(row.count)]
    assert sorted(covered) == wanted
    fired = Counter(row.at for row in rows if row.outcome == "Fired")
    own = [job for job in jobs if job["metadata"]["ownerReferences"][0]["uid"] == uid]
    marks = [job["metadata"]["annotations"][names.ANNOTATION_TICK] for job in own]
    assert Counter(map(datetime.fromisoformat, marks)) == fired
    # While it is suspended, a tick that waits for the end of a Job goes on waiting.
    assert {row.reason for row in rows if row.outcome is None} <= {"Buffered"}
    assert len(fired) >= 3


def _each(after: datetime) -> Iterator[datetime]:
    while True:
        after += timedelta(seconds=1)
        if after.timestamp() % EVERY.total_seconds() == 0:
            yield after


async def _is_at_rest(workspace: Workspace) -> bool:
    found = [raw.get("status") or {} for raw in await workspace.all("schedules")]
    return all(each.get("phase") == "Suspended" and not each.get("running") for each in found)


async def _lose_leaders(replicas: dict[str, Operator], workspace: Workspace) -> None:
    """Each time somebody new leads, let it work for a moment; then kill it, or stop its time."""
    random, known = Random(5), 0  # noqa: S311 - the same moments each time
    for n in range(KILLS):
        known, leader = await _next_leader(workspace, known)
        await asyncio.sleep(random.uniform(1.5, 3.5))
        if n % 2:
            replicas[leader].freeze()
            await _next_leader(workspace, known)
            replicas[leader].thaw()
            await asyncio.sleep(1)
        else:
            replicas[leader].crash()
    await _next_leader(workspace, known)
    await asyncio.sleep(3)


async def _next_leader(workspace: Workspace, known: int) -> tuple[int, str]:
    async with asyncio.timeout(60):
        while True:
            spec = (await workspace.client.get(LEASE))["spec"]
            if int(spec["leaseTransitions"]) > known and spec["holderIdentity"]:
                return int(spec["leaseTransitions"]), spec["holderIdentity"].partition("_")[0]
            await asyncio.sleep(0.05)
