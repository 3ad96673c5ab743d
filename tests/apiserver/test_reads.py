"""The operator without any right to list beyond its workspaces, and what happens as one is lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from coxswain.api.kind import Job
from coxswain.errors import ForbiddenError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.store import mirror
from devtools.controlplane import ControlPlane
from tests.support import apiserver, audit, leader
from tests.support.kubelet import Kubelet
from tests.support.leader import HOME, Installation, Operator, Starting
from tests.support.pods import FakePod
from tests.support.postgres import Database, opened
from tests.support.workspace import Ledger, Workspace, outcomes

NAME = audit.NARROW


@pytest.fixture(scope="module")
def narrow(
    plane: ControlPlane, operators: Starting, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """The chart's roles where the operator reads the workspaces alone."""
    values = tmp_path_factory.mktemp("values") / "narrow.yaml"
    values.write_text(json.dumps({"fullnameOverride": NAME, "operator": {"reads": "workspaces"}}))
    return leader.install(plane, values, name=NAME, start=operators)


@pytest_asyncio.fixture
async def two(client: Client, narrow: Installation) -> AsyncIterator[tuple[Workspace, Workspace]]:
    """Two fresh workspaces."""
    await apiserver.until_served(client)
    first, second = [await apiserver.onboard(client, apiserver.a_name()) for _ in range(2)]
    async with leader.onboarded(client, narrow, first), leader.onboarded(client, narrow, second):
        yield Workspace(client, first), Workspace(client, second)


@pytest_asyncio.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """The records of the test's own operators."""
    async with opened(database.sidecar) as store:
        yield Ledger(store)


def _of(two: tuple[Workspace, Workspace]) -> str:
    return json.dumps([each.namespace for each in two])


async def _is_lost(operator: Operator, workspace: Workspace) -> bool:
    wanted = f'coxswain_workspaces_lost{{workspace="{workspace.namespace}"}} 1.0'
    return wanted in await operator.metrics()


async def _until(operator: Operator, workspace: Workspace, *, is_lost: bool) -> None:
    async def holds() -> bool:
        try:
            return await _is_lost(operator, workspace) is is_lost
        except aiohttp.ClientError:
            return False  # it has only just begun

    # The longest back-off of a stream, and what a machine may take.
    await apiserver.eventually(holds, seconds=45)


async def _is_recorded(ledger: Ledger, job: Job) -> bool:
    row = await ledger.store.run(mirror.by_uid, job.metadata.uid)
    return row is not None and row.deleted_at is None


async def test_it_may_list_nothing_outside_its_workspaces(
    narrow: Installation, two: tuple[Workspace, Workspace]
) -> None:
    client = await Client.connect(narrow.kubeconfig)
    try:
        for plural in ("pods", "jobs", "agents", "schedules", "leases", "resourcequotas"):
            await client.get(paths.collection(plural, two[0].namespace))
            for elsewhere in (None, HOME):
                with pytest.raises(ForbiddenError):
                    await client.get(paths.collection(plural, elsewhere))
    finally:
        await client.close()


async def test_a_lost_workspace_stops_no_other_and_comes_back_by_itself(
    narrow: Installation,
    two: tuple[Workspace, Workspace],
    client: Client,
    database: Database,
    tmp_path: Path,
    ledger: Ledger,
) -> None:
    lost, other = two
    ends = asyncio.Event()

    async def waits(pod: FakePod) -> None:
        await pod.starts()
        if pod.namespace == lost.namespace:
            await ends.wait()
        await pod.ends()

    settings = {"read_workspaces": _of(two)}
    with narrow.operator(database, tmp_path, **settings) as operator:
        async with Kubelet(client, waits):
            for each in two:
                await each.has_agent()
            await lost.has_job()
            running = await lost.job_runs()
            await apiserver.eventually(partial(_is_recorded, ledger, running))
            async with narrow.without_rights(client, lost.namespace):
                ends.set()
                await _until(operator, lost, is_lost=True)
                assert f"workspace={lost.namespace}" in operator.text
                assert "event=workspace is lost" in operator.text.replace('"', "")
                await other.has_job()
                assert (await other.job_ends()).status.phase == "Succeeded"
                assert await operator.is_ready()
                assert 'coxswain_dependency_up{dependency="permissions"} 1.0' in (
                    await operator.metrics()
                )
                assert await _is_recorded(ledger, running)
            await _until(operator, lost, is_lost=False)
            ended = await lost.job_ends()
            assert outcomes(ended) == ["Succeeded/Completed"]
        assert "starting anew" not in operator.text
        assert await asyncio.to_thread(operator.terminate) == 0


async def test_an_operator_that_begins_without_a_workspace_records_nothing_of_it_as_gone(
    narrow: Installation,
    two: tuple[Workspace, Workspace],
    client: Client,
    database: Database,
    tmp_path: Path,
    ledger: Ledger,
) -> None:
    lost, other = two
    ends = asyncio.Event()

    async def waits(pod: FakePod) -> None:
        await pod.starts()
        if pod.namespace == lost.namespace:
            await ends.wait()
        await pod.ends()

    settings = {"read_workspaces": _of(two)}
    async with Kubelet(client, waits):
        with narrow.operator(database, tmp_path, **settings):
            for each in two:
                await each.has_agent()
            await lost.has_job()
            running = await lost.job_runs()
            await apiserver.eventually(partial(_is_recorded, ledger, running))
        async with narrow.without_rights(client, lost.namespace):
            with narrow.operator(database, tmp_path, **settings) as operator:
                await _until(operator, lost, is_lost=True)
                await other.has_job()
                assert (await other.job_ends()).status.phase == "Succeeded"
                assert await _is_recorded(ledger, running)
                await narrow.bind(client, lost.namespace)
                await _until(operator, lost, is_lost=False)
                ends.set()
                assert outcomes(await lost.job_ends()) == ["Succeeded/Completed"]
