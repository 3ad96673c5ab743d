"""The doors' addresses, read from their Services: an agent pod knows them without DNS."""

from coxswain.errors import TransientError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.sandbox.doors import Door, Doors
from coxswain.settings import OperatorSettings


async def doors(client: Client, settings: OperatorSettings) -> Doors:
    """The doors as they are now. Raises NotFoundError or TransientError where one is missing."""
    return Doors(
        platform=await _door(client, settings.namespace, settings.api_service),
        models=await _door(client, settings.namespace, settings.models_service),
        web=await _door(client, settings.namespace, settings.egress_service),
    )


async def _door(client: Client, namespace: str, name: str) -> Door:
    found = await client.get(paths.of("services", namespace, name))
    spec = found["spec"]
    addresses = tuple(each for each in spec.get("clusterIPs") or () if each != "None")
    if not addresses:
        raise TransientError(f"Service {name} in {namespace} has no cluster address")
    return Door(f"{name}.{namespace}.svc", addresses, int(spec["ports"][0]["port"]))
