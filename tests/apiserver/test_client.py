"""What our client reads of a real API server beside objects, and whom its deletes mean."""

from typing import Any, cast
from uuid import uuid4

import pytest

from coxswain import names
from coxswain.errors import ConflictError
from coxswain.identity import keys
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.reconcile import actions
from coxswain.reconcile.act import Actor
from coxswain.reconcile.cache import Cache
from coxswain.sidecar import objects, requests
from coxswain.sidecar.wire import ObjectPath
from tests.support import apiserver, builders
from tests.support.workspace import Workspace


async def test_the_clusters_token_keys_can_be_read(client: Client) -> None:
    found = await client.get(keys.KEYS_PATH)
    assert found["keys"]


@pytest.mark.parametrize("metadata_only", [False, True])
async def test_a_list_of_nothing_is_one_page_of_nothing(
    client: Client, namespace: str, *, metadata_only: bool
) -> None:
    path = paths.collection("leases", namespace)
    found = [page async for page in client.pages(path, metadata_only=metadata_only)]
    assert [page["items"] for page in found] == [[]]


async def test_a_request_for_an_object_that_was_replaced_is_not_left_on_its_successor(
    client: Client, namespace: str
) -> None:
    job = builders.job("j", "a").with_command("true").in_namespace(namespace).manifest
    made = objects.of(await apiserver.apply(client, namespace, job), "Job")
    path = ObjectPath(workspace=namespace, name="j")
    asked = requests.Asked(path, names.ANNOTATION_CANCEL, {"by": "user:ada"})
    former = made.model_copy(update={"id": str(uuid4())})
    with pytest.raises(ConflictError, match="changed meanwhile"):
        await requests.annotate(client, asked, former, None)
    found = await client.get(paths.of("jobs", namespace, "j"))
    assert names.ANNOTATION_CANCEL not in found["metadata"].get("annotations", {})
    assert (await requests.annotate(client, asked, made, None)).id == made.id


async def test_a_pod_that_has_the_name_of_a_former_one_is_not_ended_in_its_place(
    client: Client, namespace: str
) -> None:
    workspace, nobody = Workspace(client, namespace), cast("Any", None)
    await workspace.has_pod("j-1")
    (successor,) = await workspace.pods()
    actor = Actor(client, Cache(), nobody, nobody, nobody)
    await actor.carry_out(actions.DeletePod(namespace, "j-1", str(uuid4()), grace_seconds=0))
    assert await workspace.pods() == [successor]
    uid = successor["metadata"]["uid"]
    await actor.carry_out(actions.DeletePod(namespace, "j-1", uid, grace_seconds=0))
    assert await workspace.pods() == []
