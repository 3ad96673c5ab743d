"""Who made an object stands on it: the API says so, and nobody else says or changes it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from coxswain import names
from coxswain.errors import CoxswainError
from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.support import chart, leader
from tests.support.leader import Installation

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICY, BINDING = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
KINDS = {"ValidatingAdmissionPolicy": POLICY, "ValidatingAdmissionPolicyBinding": BINDING}
SPEC = {"agentRef": {"name": "reader"}, "title": "x", "prompt": "y"}


@dataclass(frozen=True)
class Two:
    """The API's own account, and somebody who may do everything."""

    api: Client
    somebody: Client
    namespace: str

    async def makes(self, client: Client, requester: str | None, **params: str) -> str | None:
        """The name of a Job that was made; None: it was refused."""
        name = f"job-{uuid4().hex[:8]}"
        annotations = {} if requester is None else {names.ANNOTATION_REQUESTER: requester}
        body: dict[str, Any] = {
            "apiVersion": names.API_VERSION,
            "kind": "Job",
            "metadata": {"name": name, "annotations": annotations},
            "spec": SPEC,
        }
        try:
            await client.create(paths.collection("jobs", self.namespace), body, params)
        except CoxswainError:
            return None
        return name

    async def annotates(self, client: Client, name: str, annotation: str, value: Any) -> bool:
        """Whether an annotation could be set."""
        path = paths.of("jobs", self.namespace, name)
        try:
            await client.patch(path, {"metadata": {"annotations": {annotation: value}}})
        except CoxswainError:
            return False
        return True


@pytest_asyncio.fixture
async def two(
    client: Client, installation: Installation, plane: ControlPlane, namespace: str
) -> AsyncIterator[Two]:
    await installation.bind(client, namespace)
    policy = [
        each
        for each in installation.objects
        if each["kind"] in KINDS and each["metadata"]["name"] == "coxswain-requester"
    ]
    assert len(policy) == 2
    for each in policy:
        await leader.make(client, f"{ADMISSION}/{KINDS[each['kind']]}", each)
    user = f"system:serviceaccount:{chart.RELEASE_NAMESPACE}:coxswain-sidecar"
    found = Two(await Client.connect(plane.kubeconfig_for(user)), client, namespace)
    # The API server takes a policy in a moment after it was made.
    async with asyncio.timeout(30):
        while await found.makes(client, "probe", dryRun="All"):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    yield found
    await found.api.close()
    # Others of this server make Jobs as somebody who was made known in another way.
    for plural in (BINDING, POLICY):
        path = f"{ADMISSION}/{plural}/coxswain-requester"
        await client.delete(path, uid=(await client.get(path))["metadata"]["uid"])
    async with asyncio.timeout(30):
        while not await found.makes(client, "probe", dryRun="All"):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def test_only_the_api_says_who_made_an_object(two: Two) -> None:
    assert await two.makes(two.api, "ada")
    assert await two.makes(two.somebody, None)
    assert await two.makes(two.somebody, "ada") is None


@pytest.mark.parametrize("value", ["bob", None])
async def test_nobody_changes_it_and_all_else_may_be_changed(two: Two, value: str | None) -> None:
    name = await two.makes(two.api, "ada")
    assert name is not None
    for client in (two.api, two.somebody):
        assert not await two.annotates(client, name, names.ANNOTATION_REQUESTER, value)
        assert await two.annotates(client, name, names.ANNOTATION_CANCEL, "{}")


async def test_nobody_adds_it_later(two: Two) -> None:
    name = await two.makes(two.somebody, None)
    assert name is not None
    for client in (two.api, two.somebody):
        assert not await two.annotates(client, name, names.ANNOTATION_REQUESTER, "ada")
