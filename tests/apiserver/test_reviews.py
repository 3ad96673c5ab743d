"""People by their Kubernetes identity, asked of a real API server: who they are, and what they may do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from coxswain.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from coxswain.identity import users
from coxswain.identity.reviews import REMEMBER_SECONDS, Reviews
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.rules.permissions import TABLE
from devtools.controlplane import ControlPlane
from tests.support import chart, leader
from tests.support.leader import Installation
from tests.support.ticking import Ticking

RBAC = "/apis/rbac.authorization.k8s.io/v1"
CANCEL = TABLE["POST /v1/workspaces/{workspace}/jobs/{name}/cancel"]
LIST, KEYS = TABLE["GET /v1/jobs"], TABLE["GET /v1/keys"]
READ = TABLE["GET /v1/workspaces/{workspace}/jobs/{name}"]


@pytest_asyncio.fixture
async def sidecar(
    client: Client, installation: Installation, plane: ControlPlane, tmp_path: Path
) -> AsyncIterator[Client]:
    """The sidecar's own account, with what the chart gives it where people come by Kubernetes."""
    for each in chart.render_with(tmp_path, {"people": {"mode": "kubernetes"}}):
        if each["metadata"]["name"].endswith("-sidecar-reviews"):
            await leader.make(client, f"{RBAC}/{each['kind'].lower()}s", each)
    found = await Client.connect(plane.kubeconfig_for(_account("coxswain-sidecar")))
    yield found
    await found.close()


def _account(name: str, home: str = chart.RELEASE_NAMESPACE) -> str:
    return f"system:serviceaccount:{home}:{name}"


async def person(client: Client, namespace: str, *verbs: str) -> str:
    """The token of a new account that may do so much with Jobs of the namespace."""
    name = f"person-{uuid4().hex[:8]}"
    await client.create(
        paths.collection("serviceaccounts", namespace), {"metadata": {"name": name}}
    )
    if verbs:
        rule = {"apiGroups": ["coxswain.dev"], "resources": ["jobs"], "verbs": list(verbs)}
        at = f"{RBAC}/namespaces/{namespace}"
        await client.create(f"{at}/roles", {"metadata": {"name": name}, "rules": [rule]})
        binding: dict[str, Any] = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        }
        await client.create(f"{at}/rolebindings", binding)
    path = paths.of("serviceaccounts", namespace, name, "token")
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token: str = (await client.create(path, asked))["status"]["token"]
    return token


def reviews(sidecar: Client, *known: str, audience: str = "", clock: Any = None) -> Reviews:
    return Reviews(sidecar, known, installation="test", audience=audience, clock=clock or Ticking())


async def test_who_may_change_jobs_with_kubectl_may_act_on_all_of_them_here(
    sidecar: Client, client: Client, namespace: str
) -> None:
    token = await person(client, namespace, "get", "update")
    user = await reviews(sidecar).find(token)
    assert user is not None
    assert user.name.startswith(f"system:serviceaccount:{namespace}:person-")
    caller = await users.admitted(user, CANCEL, namespace)
    assert caller.acts_on_all
    for permission, where in ((CANCEL, "default"), (KEYS, None)):
        with pytest.raises(ForbiddenError) as refused:
            await users.admitted(user, permission, where)
        assert refused.value.code == "not_permitted"


async def test_who_may_only_read_with_kubectl_may_only_read_here(
    sidecar: Client, client: Client, namespace: str
) -> None:
    user = await reviews(sidecar).find(await person(client, namespace, "get"))
    assert user is not None
    await users.admitted(user, READ, namespace)
    with pytest.raises(ForbiddenError):
        await users.admitted(user, CANCEL, namespace)


async def test_lists_over_all_go_through_the_workspaces_that_one_may_list(
    sidecar: Client, client: Client, namespace: str
) -> None:
    judge = reviews(sidecar, namespace, "default")
    user = await judge.find(await person(client, namespace, "list"))
    assert user is not None
    assert (await users.admitted(user, LIST, None)).workspaces == frozenset({namespace})
    nobody = await judge.find(await person(client, namespace))
    assert nobody is not None
    with pytest.raises(ForbiddenError):
        await users.admitted(nobody, LIST, None)


async def test_a_right_that_was_taken_away_ends_within_its_seconds(
    sidecar: Client, client: Client, namespace: str
) -> None:
    clock = Ticking()
    user = await reviews(sidecar, clock=clock).find(await person(client, namespace, "get"))
    assert user is not None
    await users.admitted(user, READ, namespace)
    name = user.name.rpartition(":")[2]
    at = f"{RBAC}/namespaces/{namespace}/rolebindings/{name}"
    await client.delete(at, uid=(await client.get(at))["metadata"]["uid"])
    assert REMEMBER_SECONDS <= 5
    clock.now += REMEMBER_SECONDS
    # The API server itself takes a moment to see that the binding is gone.
    async with asyncio.timeout(10):
        while await user.rights.role_for(READ, namespace) is not None:
            await asyncio.sleep(0.1)
            clock.now += REMEMBER_SECONDS


async def test_a_token_that_the_cluster_does_not_know_is_refused(sidecar: Client) -> None:
    for token in ("nonsense", "a.b.c"):
        with pytest.raises(UnauthenticatedError) as refused:
            await reviews(sidecar).find(token)
        assert refused.value.code == "token_invalid"


async def test_a_token_for_another_audience_is_refused(
    sidecar: Client, client: Client, namespace: str
) -> None:
    token = await person(client, namespace, "get")
    with pytest.raises(UnauthenticatedError):
        await reviews(sidecar, audience="people").find(token)


async def test_without_the_right_to_ask_nobody_is_called_a_liar(
    client: Client, plane: ControlPlane, namespace: str
) -> None:
    stranger = await Client.connect(plane.kubeconfig_for(_account("nobody", namespace)))
    with pytest.raises(UnavailableError) as refused:
        await reviews(stranger).find("nonsense")
    await stranger.close()
    assert refused.value.code == "reviews_forbidden"
