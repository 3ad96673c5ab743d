"""Of all ConfigMaps of a workspace the API may write those that are job types, and no other."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from coxswain.errors import CoxswainError, UserError
from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.support import chart, leader
from tests.support.leader import Installation

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
LABELS = {"coxswain.dev/job-type": "true"}


@pytest_asyncio.fixture
async def sidecar(
    client: Client, installation: Installation, plane: ControlPlane, namespace: str
) -> AsyncIterator[Client]:
    await installation.bind(client, namespace)
    for each in installation.objects:
        if each["kind"] in KINDS and each["metadata"]["name"] == "coxswain-sidecar-types":
            plural = f"{each['kind'].lower().removesuffix('y')}ies"
            plural = plural if each["kind"] == KINDS[0] else f"{each['kind'].lower()}s"
            await leader.make(client, f"{ADMISSION}/{plural}", each)
    user = f"system:serviceaccount:{chart.RELEASE_NAMESPACE}:coxswain-sidecar"
    found = await Client.connect(plane.kubeconfig_for(user))
    # The API server takes a policy in a moment after it was made.
    async with asyncio.timeout(30):
        while await _writes(found, namespace, f"probe-{id(found)}", {}):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    yield found
    await found.close()


async def _writes(client: Client, namespace: str, name: str, labels: dict[str, str]) -> bool:
    body: dict[str, Any] = {"metadata": {"name": name, "labels": labels}, "data": {"a": "b"}}
    params = {"dryRun": "All"} if name.startswith("probe") else {}
    try:
        await client.create(paths.collection("configmaps", namespace), body, params)
    except CoxswainError:
        return False
    return True


async def test_only_labelled_types_are_made(sidecar: Client, namespace: str) -> None:
    assert await _writes(sidecar, namespace, "coxswain-type-x", LABELS)
    assert not await _writes(sidecar, namespace, "coxswain-type-y", {})
    assert not await _writes(sidecar, namespace, "instructions", LABELS)


async def test_what_is_no_type_is_not_changed_into_one(
    sidecar: Client, client: Client, namespace: str
) -> None:
    assert await _writes(client, namespace, "coxswain-type-foreign", {})
    assert await _writes(client, namespace, "instructions", {})
    change = {"metadata": {"labels": LABELS}, "data": {"a": "c"}}
    for name in ("coxswain-type-foreign", "instructions"):
        with pytest.raises(UserError, match="only ConfigMaps that are job types"):
            await sidecar.patch(paths.of("configmaps", namespace, name), change)
    await _writes(sidecar, namespace, "coxswain-type-x", LABELS)
    await sidecar.patch(paths.of("configmaps", namespace, "coxswain-type-x"), {"data": {"a": "c"}})
