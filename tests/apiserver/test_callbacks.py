"""A Job's callback through a real API server: admitted or refused, owed with its end, delivered signed."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from typing_extensions import override

from coxswain.api.callback import CallbackMessage
from coxswain.api.deliveries import Delivery, DeliveryState
from coxswain.errors import UserError
from coxswain.kube import paths
from coxswain.store import outbox
from tests.support import pods, postgres
from tests.support.callbacks import NEW_KEY, Office
from tests.support.kubelet import Kubelet
from tests.support.postgres import Database
from tests.support.receiver import Receiver
from tests.support.workspace import Ledger, Workspace

pytestmark = pytest.mark.usefixtures("operator")


@dataclass
class Real(Office):
    """It reads Secrets from the API server."""

    place: Workspace | None = None

    @override
    async def read_object(self, path: str) -> dict[str, Any]:
        assert self.place is not None
        return await self.place.client.get(path)


@pytest_asyncio.fixture
async def office(workspace: Workspace, module_database: Database) -> AsyncIterator[Real]:
    async with (
        postgres.opened(module_database.operator) as operator,
        postgres.opened(module_database.gateway) as gateway,
    ):
        made = Real(operator, gateway, is_signing=True, workspace=workspace.namespace)
        made.place = workspace
        yield made


async def _owed(workspace: Workspace, ledger: Ledger) -> Delivery:
    async with asyncio.timeout(15):
        while True:
            page = await ledger.store.run(
                outbox.page, outbox.Query(frozenset({workspace.namespace}))
            )
            if page.items:
                (found,) = page.items
                return found
            await asyncio.sleep(0.05)


async def test_the_end_of_a_job_reaches_its_receiver_signed_with_the_workspaces_secret(
    workspace: Workspace, ledger: Ledger, office: Real
) -> None:
    secret = {
        "metadata": {"name": "hooks"},
        "type": "coxswain.dev/signing",
        "data": {"key": base64.b64encode(NEW_KEY.encode()).decode()},
    }
    await workspace.client.create(paths.collection("secrets", workspace.namespace), secret)
    await workspace.has_agent()
    async with (
        Receiver() as receiver,
        Kubelet(workspace.client, pods.fails(3), namespace=workspace.namespace),
    ):
        office.origins = [f"http://hooks.test:{receiver.port}"]
        url = f"http://hooks.test:{receiver.port}/done"
        await workspace.has_job(callback={"url": url, "signing": {"name": "hooks"}})
        job = await workspace.job_ends()
        owed = await _owed(workspace, ledger)
        async with office.at_work():
            done = await office.ends(owed.id)
    assert (done.state, done.job_uid) == (DeliveryState.DELIVERED, job.metadata.uid)
    (got,) = receiver.received
    got.verify(NEW_KEY)
    told = CallbackMessage.model_validate_json(got.body)
    assert told.type == "job.failed"
    assert (told.data.phase, told.data.reason) == ("Failed", "ExitCode")
    assert told.data.finished_at == job.status.finished_at
    assert told.data.result == job.status.result
    after = await workspace.job()
    assert after.metadata.resource_version == job.metadata.resource_version


async def test_a_callback_that_is_blocked_changes_nothing_of_the_job(
    workspace: Workspace, ledger: Ledger, office: Real
) -> None:
    await workspace.has_agent()
    office.domains = []
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace):
        await workspace.has_job(callback={"url": "https://receiver.example/hook"})
        job = await workspace.job_ends()
    owed = await _owed(workspace, ledger)
    async with office.at_work():
        done = await office.ends(owed.id)
    assert (done.state, done.reason) == (DeliveryState.SKIPPED, "DomainNotAllowed")
    assert job.status.phase == "Succeeded"
    after = await workspace.job()
    assert after.metadata.resource_version == job.metadata.resource_version
    said = await ledger.events(job.metadata.uid, actor="egress")
    assert [each.event.type for each in said] == ["callback.skipped"]


async def test_a_callback_to_an_address_is_refused_with_its_place_and_nothing_is_made(
    workspace: Workspace,
) -> None:
    await workspace.has_agent()
    with pytest.raises(UserError, match=r"spec.callback.*names a host, not an address"):
        await workspace.has_job(callback={"url": "https://10.0.0.1/hook"})
    assert await workspace.all("jobs") == []
