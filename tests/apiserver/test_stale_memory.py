"""An operator whose memory is behind: what it writes is refused, and it looks at what is there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from coxswain.api.records import LeaseHolder
from coxswain.store.leases import holding
from coxswain.store.leases.holding import Wanted
from devtools.controlplane import ControlPlane
from tests.apiserver.test_schedules import has_schedule, schedule, until
from tests.support import between, builders
from tests.support.between import Between
from tests.support.leader import OPERATOR, Installation
from tests.support.postgres import Database, opened
from tests.support.workspace import Ledger, Workspace

ANN = LeaseHolder.of_user("ann", None)
KINDS = ("agents", "leases", "schedules")
REFUSED, WRITTEN = 409, 200


@pytest_asyncio.fixture
async def proxy(plane: ControlPlane) -> AsyncIterator[Between]:
    """What can keep events from the operator; it has the operator's account."""
    account = await asyncio.to_thread(plane.authority.issue, "behind", OPERATOR)
    async with between.between(plane, account) as made:
        yield made


@pytest_asyncio.fixture
async def stale(
    proxy: Between,
    installation: Installation,
    workspace: Workspace,
    database: Database,
    tmp_path: Path,
) -> AsyncIterator[Workspace]:
    """An Agent, a Lease and a Schedule that the operator knows; then each changes, and it hears nothing."""
    kubeconfig = proxy.kubeconfig("one", tmp_path)
    with installation.operator(database, tmp_path, kubeconfig=kubeconfig):
        await workspace.apply(builders.agent("x").with_model())
        await workspace.agent_is("x", "Pending")
        await workspace.has_lease("x")
        await has_schedule(workspace, "x")
        await until(workspace, lambda found: found.status.last_tick is not None, "x")
        proxy.holds = True
        proxy.patches.clear()
        for plural in KINDS:
            await workspace.patch(plural, "x", {"metadata": {"annotations": {"changed": "1"}}})
        yield workspace


def writes(proxy: Between, plural: str) -> list[int]:
    """How its writes of the status of one kind were answered, from the first refusal on."""
    found = [status for asked, status in proxy.patches if f"/{plural}/x/status" in asked.path]
    return found[found.index(REFUSED) :] if REFUSED in found else []


async def test_a_status_on_what_changed_unheard_is_refused_and_written_on_what_is_there(
    stale: Workspace, proxy: Between, database: Database
) -> None:
    async with opened(database.gateway) as gateway:
        await Ledger(gateway).judge(await stale.agent("x"))
    async with opened(database.sidecar) as sidecar:
        wanted = Wanted(stale.namespace, "x", ANN, ANN.text)
        await sidecar.transact(holding.acquire, wanted)
    await stale.agent_is("x", "Ready")
    await stale.lease_is(lambda lease: lease.status.holder == "user:ann", "x")
    ticked = (await schedule(stale, "x")).status.last_tick
    await until(stale, lambda found: found.status.last_tick != ticked, "x")
    for plural in KINDS:
        assert writes(proxy, plural)[:2] == [REFUSED, WRITTEN]
