"""A cluster and a database that are lost, and what a backup makes of both: nothing comes twice."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from coxswain.api.kind import Schedule
from coxswain.api.records import LeaseHolder
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.store import events, ticks
from coxswain.store.events import Resync
from coxswain.store.leases import holding
from coxswain.store.leases.holding import Refused, Wanted
from devtools import patience, programs
from devtools.controlplane import ControlPlane
from tests.support import builders, leader, pods
from tests.support.backup import Backups
from tests.support.kubelet import Kubelet
from tests.support.leader import HOME, Installation
from tests.support.pods import FakePod
from tests.support.postgres import Database, Server, opened
from tests.support.workspace import Ledger, Workspace, outcomes

ANN, BOB = LeaseHolder.of_user("ann", None), LeaseHolder.of_user("bob", None)
API = f"system:serviceaccount:{HOME}:coxswain-sidecar"
SAID = "coxswain-backup: left out "
Body = dict[str, Any]


@pytest.fixture
def elsewhere(postgres: Server) -> Iterator[Database]:
    """A database without any table."""
    made = postgres.create(migrated=False)
    yield made
    postgres.drop(made)


@contextmanager
def _led(installation: Installation, database: Database, folder: Path, name: str) -> Iterator[None]:
    """An operator that leads."""
    with installation.operator(database, folder, name) as started:
        patience.until(lambda: "" if "event=leading" in started.text else "an operator to lead", 30)
        yield
        assert started.terminate() == 0


def _make_anew(plane: ControlPlane, backups: Backups, database: Database, home: str) -> None:
    """Make the objects of a workspace, as the page says: Agents as oneself, the others as the API."""
    for kinds, account in ((("Agent",), ()), (("Job", "Lease", "Schedule"), (f"--as={API}",))):
        objects = backups.objects(database, *kinds)
        _create(
            plane, [each for each in objects if each["metadata"]["namespace"] == home], *account
        )


def _create(plane: ControlPlane, objects: list[Body], *account: str) -> None:
    """Have kubectl make a list of objects."""
    kubectl = programs.ensure("kubernetes") / "kubectl"
    words: list[str | Path] = [
        kubectl,
        "--kubeconfig",
        plane.kubeconfig,
        *account,
        "create",
        "-f",
        "-",
    ]
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    done = subprocess.run(words, input=given, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


async def _takes(ledger: Ledger, workspace: Workspace, who: LeaseHolder) -> int:
    wanted = Wanted(workspace.namespace, "deploy", who, who.text)
    answer = await ledger.store.transact(holding.acquire, wanted)
    if isinstance(answer, Refused):
        raise answer.why
    return answer.token


async def _schedule(workspace: Workspace) -> Schedule:
    path = paths.of("schedules", workspace.namespace, "ticks")
    return Schedule.parse(await workspace.client.get(path))


async def _fires(workspace: Workspace, times: int) -> Schedule:
    """Wait until the Schedule has fired so often in all."""
    found = await _schedule(workspace)
    async with asyncio.timeout(30):
        while found.status.fired < times:
            await asyncio.sleep(0.1)
            found = await _schedule(workspace)
    return found


async def _lose(client: Client, workspace: Workspace) -> None:
    """The cluster is gone, with whom leads in it."""
    await leader.clear(client, workspace.namespace)
    for plural in ("jobs", "leases", "schedules", "agents", "pods"):
        await workspace.until_gone(plural)
    path = f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/coxswain-operator"
    await client.delete(path, uid=(await client.get(path))["metadata"]["uid"])


async def _hangs_or_succeeds(pod: FakePod) -> None:
    await (pods.hangs(pod) if pod.name.startswith("runs-") else pods.succeeds(pod))


async def _is_under_way(workspace: Workspace, ledger: Ledger) -> tuple[str, str, int]:
    """An installation at work: the uids of its Schedule and of the ended Job, the Lease's token."""
    await workspace.has_agent()
    await workspace.has_lease()
    token = await _takes(ledger, workspace, ANN)
    async with Kubelet(workspace.client, _hangs_or_succeeds, namespace=workspace.namespace):
        schedule = await workspace.apply(builders.schedule("ticks", "a").every(3600))
        await workspace.apply(
            builders.schedule("once", "a").with_trigger(at="2026-01-01T00:00:00Z")
        )
        await workspace.has_job("done", idempotencyKey="done")
        done = await workspace.job_ends("done")
        await workspace.has_job("runs", idempotencyKey="runs", retry={"maxAttempts": 2})
        await workspace.job_runs("runs")
        await workspace.has_job("after", dependsOn=[{"name": "done"}], suspend=True)
        await workspace.until(lambda job: job.status.phase == "Queued", "after")
        await ledger.until(done.metadata.uid, "job.succeeded")
    return schedule["metadata"]["uid"], done.metadata.uid, token


async def test_what_ended_stays_ended_what_ran_is_tried_again_and_all_numbers_grow(
    installation: Installation,
    workspace: Workspace,
    plane: ControlPlane,
    database: Database,
    elsewhere: Database,
    tmp_path: Path,
) -> None:
    backups = Backups(tmp_path)
    with _led(installation, database, tmp_path, "former"):
        async with opened(database.sidecar) as store:
            former, done, token = await _is_under_way(workspace, Ledger(store))
            await workspace.lease_is(lambda lease: lease.status.token == token)
    backup = backups.make(database)
    async with opened(database.sidecar) as store:
        last = await store.run(events.head)
    await _lose(workspace.client, workspace)

    backups.restore(elsewhere, backup)
    # The control plane keeps what other tests have left in workspaces of theirs.
    home = workspace.namespace
    told = backups.run(elsewhere, "objects").stderr.decode().splitlines()
    assert [line for line in told if f" {home}/" in line] == [f"{SAID}Job {home}/done: Ended"]
    _make_anew(plane, backups, elsewhere, home)
    restored_at = (await workspace.agent("a")).metadata.creation_timestamp
    async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
        with _led(installation, elsewhere, tmp_path, "new"):
            async with opened(elsewhere.sidecar) as store:
                ledger = Ledger(store)
                ran = await workspace.job_ends("runs")
                # From here on it is a Job that is gone, which a sweep would tell.
                await ledger.until(done, "job.deleted")
                await workspace.patch("jobs", "after", {"spec": {"suspend": False}})
                for job in (ran, await workspace.job_ends("after")):
                    assert outcomes(job) == ["Succeeded/Completed"], job.status.to_wire()
                await workspace.lease_is(lambda lease: lease.status.state == "Free")
                assert await _takes(ledger, workspace, BOB) > token + 1_000_000

                assert isinstance(await store.run(events.locate, last + 1), Resync)
                assert await store.run(events.head) > last + 2**32

                found = await _schedule(workspace)
                assert found.metadata.uid != former
                fired = await store.run(ticks.page, found.metadata.uid, None, limit=100)
                assert [each for each in fired if each.at <= restored_at] == []
                names = {each["metadata"]["name"] for each in await workspace.all("jobs")}
    assert names == {"runs", "after"}
    assert {name.rsplit("-", 2)[0] for name in kubelet.runs} == names
    assert set(kubelet.runs.values()) == {1}


async def test_a_lost_database_alone_costs_no_job_no_tick_and_no_token_twice(
    installation: Installation,
    workspace: Workspace,
    database: Database,
    elsewhere: Database,
    tmp_path: Path,
) -> None:
    backups = Backups(tmp_path)
    async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
        with _led(installation, database, tmp_path, "former"):
            async with opened(database.sidecar) as store:
                await workspace.has_agent()
                await workspace.has_lease()
                await workspace.apply(builders.schedule("ticks", "a").every(2))
                backup = backups.make(database)
                # What the backup knows nothing of.
                await workspace.has_job("late")
                late = await workspace.job_ends("late")
                token = await _takes(Ledger(store), workspace, ANN)
                await workspace.lease_is(lambda lease: lease.status.token == token)
                await _fires(workspace, 2)
        shown = (await _schedule(workspace)).status
        backups.restore(elsewhere, backup)
        with _led(installation, elsewhere, tmp_path, "new"):
            async with opened(elsewhere.sidecar) as store:
                ledger = Ledger(store)
                await ledger.until(late.metadata.uid, "job.succeeded")
                await workspace.lease_is(lambda lease: lease.status.state == "Quarantined")
                where = (workspace.namespace, "deploy")
                await store.transact(holding.hand_on, where, token, "user:local")
                assert await _takes(ledger, workspace, BOB) > token + 1_000_000
                now = await _fires(workspace, shown.fired + 1)
                fired = await store.run(ticks.page, now.metadata.uid, None, limit=100)
    assert (await workspace.job("late")).status.to_wire() == late.status.to_wire()
    assert shown.last_tick is not None
    last = datetime.fromisoformat(shown.last_tick)
    assert fired
    assert [each.id for each in fired if each.at <= last] == []
    assert set(kubelet.runs.values()) == {1}
