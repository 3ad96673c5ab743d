"""The doors as agent pods know them: addresses of their Services, without DNS, and whom to trust there."""

import asyncio
import ssl
from pathlib import Path

from coxswain.errors import ConfigurationError, TransientError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.sandbox.doors import Door, Doors
from coxswain.settings import OperatorSettings

MOST_CHARACTERS = 65_536
"""Of certificates, in an annotation of each pod; Kubernetes takes 256 KiB of annotations in all."""


async def doors(client: Client, settings: OperatorSettings) -> Doors:
    """The doors as they are now. Raises NotFoundError or TransientError where one is missing."""
    trusted = await asyncio.to_thread(authority, settings.doors_ca_file)
    is_secure = trusted is not None
    home = settings.namespace
    return Doors(
        platform=await _door(client, home, settings.api_service, is_secure=is_secure),
        models=await _door(client, home, settings.models_service, is_secure=is_secure),
        web=await _door(client, home, settings.egress_service, is_secure=is_secure),
        authority=trusted,
    )


def authority(file: Path | None) -> str | None:
    """What the file holds. Raises ConfigurationError if that is no certificate."""
    if file is None:
        return None
    try:
        found = file.read_text()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except (OSError, ValueError) as error:
        text = f"COXSWAIN_DOORS_CA_FILE: {file} holds no certificate: {error}"
        raise ConfigurationError(text) from error
    if len(found) > MOST_CHARACTERS:
        text = f"COXSWAIN_DOORS_CA_FILE: {file} is longer than {MOST_CHARACTERS} characters"
        raise ConfigurationError(text)
    return found


async def _door(client: Client, namespace: str, name: str, *, is_secure: bool) -> Door:
    found = await client.get(paths.of("services", namespace, name))
    spec = found["spec"]
    addresses = tuple(each for each in spec.get("clusterIPs") or () if each != "None")
    if not addresses:
        raise TransientError(f"Service {name} in {namespace} has no cluster address")
    port = int(spec["ports"][0]["port"])
    return Door(f"{name}.{namespace}.svc", addresses, port, is_secure)
