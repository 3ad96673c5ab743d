"""What our client reads of a real API server beside objects."""

from coxswain.identity import keys
from coxswain.kube.client import Client


async def test_the_clusters_token_keys_can_be_read(client: Client) -> None:
    found = await client.get(keys.KEYS_PATH)
    assert found["keys"]
