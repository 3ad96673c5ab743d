from coxswain.kube.client import Client
from tests.support.apiserver import apply


async def test_first(client: Client, namespace: str) -> None:
    body = {
        "apiVersion": "coxswain.dev/v1alpha1",
        "kind": "Agent",
        "metadata": {"name": "a"},
        "spec": {"models": [{"alias": "x", "provider": "demo", "model": "demo"}]},
    }
    import json

    print(json.dumps(await apply(client, namespace, body), indent=1))
