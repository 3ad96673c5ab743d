"""What our client reads of a real API server beside objects."""

import pytest

from coxswain.identity import keys
from coxswain.kube import paths
from coxswain.kube.client import Client


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
