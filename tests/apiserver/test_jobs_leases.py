"""Jobs that take leases: they wait by turns, never block each other, and a lost lease stops a run."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.kind import Job
from coxswain.api.records import LeaseHolder
from coxswain.errors import ConflictError, ForbiddenError
from coxswain.kube import answers, paths
from coxswain.store import claims, events
from coxswain.store.events import Filter
from coxswain.store.leases import holding, rows
from coxswain.store.leases.holding import Holding, Refused, Wanted
from coxswain.store.pool import Connection
from tests.support import leader, pods
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.workspace import Ledger, Workspace, outcomes, reason

pytestmark = pytest.mark.usefixtures("operator")

ANN = LeaseHolder.of_user("ann", None)
KIND = ConditionType.LEASE_HELD


def message(job: Job) -> str:
    found = find(job.status.conditions, KIND)
    return found.message if found is not None else ""


async def takes(ledger: Ledger, workspace: Workspace, name: str = "deploy", **more: Any) -> int:
    wanted = Wanted(workspace.namespace, name, ANN, ANN.text, **more)
    answer = await ledger.store.transact(holding.acquire, wanted)
    assert not isinstance(answer, Refused), answer
    return answer.token


async def is_refused(ledger: Ledger, workspace: Workspace) -> str:
    wanted = Wanted(workspace.namespace, "deploy", ANN, ANN.text)
    answer = await ledger.store.transact(holding.acquire, wanted)
    assert isinstance(answer, Refused), answer
    return answer.why.code


async def lets_go(ledger: Ledger, workspace: Workspace, token: int, name: str = "deploy") -> None:
    mine = Holding((workspace.namespace, name), ANN, token)
    await ledger.store.transact(holding.release, mine, ANN.text)


def works(ledger: Ledger, go_on: asyncio.Event | None = None) -> Any:
    """An agent that claims its run, works as long as it is told, and posts a result."""

    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        if go_on is not None:
            await go_on.wait()
        await ledger.post(pod, status="succeeded")
        await pod.ends()

    return agent


async def test_a_job_waits_for_its_lease_names_the_holder_and_is_woken_when_it_is_let_go(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    await workspace.has_lease()
    token = await takes(ledger, workspace)
    async with Kubelet(workspace.client, works(ledger), namespace=workspace.namespace) as kubelet:
        await workspace.has_job(leases=["deploy"])
        waits = await workspace.job_waits(KIND)
        assert reason(waits, KIND) == "HeldByAnother"
        assert "held by user:ann" in message(waits)
        assert await workspace.pods() == []
        await lets_go(ledger, workspace, token)
        ended = await workspace.job_ends(seconds=10)
        assert not kubelet.faults
    assert outcomes(ended) == ["Succeeded/Completed"]
    freed = await workspace.lease_is(lambda lease: lease.status.token == 2)
    freed = await workspace.lease_is(lambda lease: lease.status.state == "Free")
    assert freed.status.holder is None
    page = await ledger.store.run(events.after, 0, Filter(workspace=workspace.namespace))
    told = [each.event.type for each in page.events]
    # After the person's own acquisition and release.
    place = told.index("lease.released")
    for each in ("lease.acquired", "run.claimed", "run.result", "lease.released"):
        assert each in told[place + 1 :], (each, told)
        place = told.index(each, place + 1)


async def test_a_job_whose_pod_a_quota_refuses_keeps_nobody_from_its_lease(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    await workspace.has_lease()
    await _has_room_for(workspace, 0)
    made = await workspace.has_job(leases=["deploy"])
    await workspace.job_waits(ConditionType.QUOTA_RESERVED)
    run = await ledger.run(made)
    assert run is not None
    assert run.leases == {"deploy": 1}
    await workspace.lease_is(lambda lease: (lease.status.state, lease.status.token) == ("Free", 1))
    token = await takes(ledger, workspace)
    await _has_room_for(workspace, 9)
    async with Kubelet(workspace.client, works(ledger), namespace=workspace.namespace):
        waits = await workspace.job_waits(KIND)
        assert reason(waits, KIND) == "HeldByAnother"
        await lets_go(ledger, workspace, token)
        assert outcomes(await workspace.job_ends()) == ["Succeeded/Completed"]
    again = await ledger.run(made)
    assert again is not None
    assert again.leases == {"deploy": 3}


async def _has_room_for(workspace: Workspace, count: int) -> None:
    """A quota that the operator does not count by, as the API server enforces it."""
    bounds = {"pods": str(count)}
    place = paths.collection("resourcequotas", workspace.namespace)
    await leader.make(workspace.client, place, {"metadata": {"name": "other"}, "spec": {}})
    path = paths.of("resourcequotas", workspace.namespace, "other")
    await workspace.client.patch(path, {"spec": {"hard": bounds}})
    status = {"hard": bounds, "used": {"pods": "0"}}
    await workspace.client.patch(f"{path}/status", {"status": status})
    async with asyncio.timeout(20):
        while count == 0 and not await _is_full(workspace):  # noqa: ASYNC110 - the API server does it
            await asyncio.sleep(0.05)


async def _is_full(workspace: Workspace) -> bool:
    """Whether the API server has noticed the quota: it keeps a copy of its own."""
    try:
        await workspace.has_pod(f"probe-{uuid4().hex[:8]}")
    except ForbiddenError as refused:
        return refused.code == answers.QUOTA_EXCEEDED
    return False


async def test_many_jobs_that_want_the_same_two_in_any_order_all_end_and_never_overlap(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    for name in ("a", "b"):
        await workspace.has_lease(name)
    at_work: set[str] = set()
    most = 0

    async def agent(pod: FakePod) -> None:
        nonlocal most
        await pod.starts()
        await ledger.claim(pod)
        at_work.add(pod.name)
        most = max(most, len(at_work))
        await asyncio.sleep(0.05)
        at_work.discard(pod.name)
        await ledger.post(pod, status="succeeded")
        await pod.ends()

    async with Kubelet(workspace.client, agent, namespace=workspace.namespace) as kubelet:
        jobs = [f"j-{number}" for number in range(6)]
        for number, name in enumerate(jobs):
            await workspace.has_job(name, leases=["a", "b"] if number % 2 else ["b", "a"])
        for name in jobs:
            assert outcomes(await workspace.job_ends(name, seconds=60)) == ["Succeeded/Completed"]
        assert not kubelet.faults
    assert most == 1
    found = await ledger.store.run(rows.of, [(workspace.namespace, name) for name in ("a", "b")])
    assert {each.token for each in found.values()} == {len(jobs)}
    assert {each.waiters for each in found.values()} == {0}


async def test_a_run_whose_lease_is_stolen_is_stopped_writes_nothing_and_waits_for_it_anew(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    await workspace.has_lease(stealAfterSeconds=1)
    go_on = asyncio.Event()
    first: list[FakePod] = []

    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        if pod.attempt == 1:
            first.append(pod)
            await pods.hangs(pod)
            return
        await ledger.post(pod, status="succeeded")
        await pod.ends()

    async with Kubelet(workspace.client, agent, namespace=workspace.namespace):
        await workspace.has_job(leases=["deploy"])
        await workspace.job_runs()
        async with asyncio.timeout(20):
            while not first:  # noqa: ASYNC110 - the pod does it
                await asyncio.sleep(0.05)
        await _has_held_for(ledger, workspace, 2)
        token = await takes(ledger, workspace, steal=True)
        with pytest.raises(ConflictError) as refused:
            await ledger.post(first[0], status="succeeded")
        assert refused.value.code in ("lease_lost", "run_closed")
        waits = await workspace.until(lambda job: "Lost/LeaseLost" in outcomes(job))
        assert waits.status.attempts_used == 0
        await workspace.job_waits(KIND)
        go_on.set()
        await lets_go(ledger, workspace, token)
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Lost/LeaseLost", "Succeeded/Completed"]


async def test_a_worker_out_of_reach_keeps_its_lease_in_quarantine_until_its_pod_is_gone(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    lease = await workspace.has_lease()
    lost: list[FakePod] = []

    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        if pod.attempt > 1:
            await ledger.post(pod, status="succeeded")
            return await pod.ends()
        lost.append(pod)
        await asyncio.Event().wait()
        return None

    kubelet = Kubelet(workspace.client, agent, namespace=workspace.namespace)
    async with kubelet:
        await workspace.has_job(leases=["deploy"])
        await workspace.job_runs()
        async with asyncio.timeout(20):
            while not lost:  # noqa: ASYNC110 - the pod does it
                await asyncio.sleep(0.05)
        kubelet.die()
        condition = {"type": "Ready", "status": "False", "lastTransitionTime": pods.now()}
        await lost[0].report({"phase": "Running", "conditions": [condition]})
        await _is_over(ledger, workspace)
        held = await workspace.lease_is(lambda each: each.status.state == "Quarantined")
        assert held.status.holder == "job:j/1"
        # It may be heard again within 15 s; then it is lost.
        await workspace.until(lambda job: "Lost/LeaseLost" in outcomes(job), seconds=40)
        assert await is_refused(ledger, workspace) == "lease_quarantined"
        await lost[0].vanishes()
        await kubelet.revive()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Lost/LeaseLost", "Succeeded/Completed"]
    told = [
        (each.event.type, each.event.details) for each in await ledger.events(lease.metadata.uid)
    ]
    kinds = [kind for kind, _ in told]
    assert kinds.index("lease.quarantined") < kinds.index("lease.reclaimed")
    assert dict(told)["lease.reclaimed"]["formerHolder"] == "job:j/1"


async def test_a_deleted_job_lets_its_lease_go_once_its_pod_is_gone(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    await workspace.has_lease()
    may_end = asyncio.Event()

    async def lingers(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await may_end.wait()

    kubelet = Kubelet(workspace.client, lingers, namespace=workspace.namespace, stop_seconds=30)
    async with kubelet:
        await workspace.has_job(leases=["deploy"])
        await workspace.job_runs()
        await _is_claimed(ledger, workspace)
        await workspace.delete("jobs", "j")
        doubted = await workspace.lease_is(lambda lease: lease.status.state == "Quarantined")
        assert (doubted.status.holder, doubted.status.token) == ("job:j/1", 1)
        assert await is_refused(ledger, workspace) == "lease_quarantined"
        assert len(await workspace.pods()) == 1
        may_end.set()
        freed = await workspace.lease_is(lambda lease: lease.status.holder is None)
    assert freed.status.state == "Expired"
    assert await takes(ledger, workspace) == 2


@pytest.mark.parametrize("end", ["cancelled", "failed"])
async def test_however_a_job_ends_its_lease_is_let_go(
    workspace: Workspace, ledger: Ledger, end: str
) -> None:
    await workspace.has_agent()
    await workspace.has_lease()

    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await (pods.hangs(pod) if end == "cancelled" else pod.ends(3))

    async with Kubelet(workspace.client, agent, namespace=workspace.namespace):
        await workspace.has_job(leases=["deploy"])
        if end == "cancelled":
            await workspace.job_runs()
            await workspace.patch("jobs", "j", {"spec": {"cancel": True}})
        await workspace.job_ends()
        await workspace.lease_is(
            lambda lease: lease.status.token == 1 and lease.status.holder is None
        )
    assert await takes(ledger, workspace) == 2


async def test_a_job_whose_lease_is_not_there_starts_when_it_is_made(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, works(ledger), namespace=workspace.namespace):
        await workspace.has_job(leases=["deploy"])
        waits = await workspace.job_waits(KIND)
        assert reason(waits, KIND) == "LeaseMissing"
        await workspace.has_lease()
        assert outcomes(await workspace.job_ends()) == ["Succeeded/Completed"]


async def test_a_heartbeat_keeps_the_lease_of_a_run(workspace: Workspace, ledger: Ledger) -> None:
    await workspace.has_agent()
    await workspace.has_lease()
    go_on = asyncio.Event()
    seen: list[FakePod] = []

    async def agent(pod: FakePod) -> None:
        seen.append(pod)
        await works(ledger, go_on)(pod)

    async with Kubelet(workspace.client, agent, namespace=workspace.namespace):
        await workspace.has_job(leases=["deploy"])
        await workspace.job_runs()
        held = await workspace.lease_is(lambda lease: lease.status.holder == "job:j/1")
        await _is_claimed(ledger, workspace)
        before = await _row(ledger, workspace)
        assert not await ledger.store.transact(claims.heartbeat, seen[0].uid)
        after = await _row(ledger, workspace)
        assert before.expires_at is not None
        assert after.expires_at is not None
        assert after.expires_at > before.expires_at
        assert (await workspace.lease()).metadata.resource_version == held.metadata.resource_version
        go_on.set()
        await workspace.job_ends()


async def _row(ledger: Ledger, workspace: Workspace) -> Any:
    place = (workspace.namespace, "deploy")
    return (await ledger.store.run(rows.of, [place]))[place]


async def _is_claimed(ledger: Ledger, workspace: Workspace) -> None:
    async with asyncio.timeout(20):
        while not (await _row(ledger, workspace)).expires_at:  # noqa: ASYNC110 - the claim sets it
            await asyncio.sleep(0.05)


async def _has_held_for(ledger: Ledger, workspace: Workspace, seconds: float) -> None:
    async def earlier(connection: Connection) -> None:
        await connection.execute(
            "UPDATE leases SET acquired_at = acquired_at - make_interval(secs => $2)"
            " WHERE workspace = $1",
            workspace.namespace,
            seconds,
        )

    await ledger.store.transact(earlier)


async def _is_over(ledger: Ledger, workspace: Workspace) -> None:
    async def over(connection: Connection) -> None:
        await connection.execute(
            "UPDATE leases SET expires_at = clock_timestamp() WHERE workspace = $1",
            workspace.namespace,
        )

    await ledger.store.transact(over)
