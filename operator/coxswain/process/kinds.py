"""Refuses to run beside CRDs that are older than this program."""

from coxswain.api import manifest
from coxswain.errors import ConfigurationError, NotFoundError
from coxswain.kube import paths
from coxswain.kube.client import Client

PLURALS = ("agents", "jobs", "schedules", "leases")


async def check(client: Client) -> None:
    """Compare versions. Raises ConfigurationError that says what to do."""
    for plural in PLURALS:
        name = f"{plural}.coxswain.dev"
        try:
            found = await client.get(paths.of("customresourcedefinitions", None, name))
        except NotFoundError as error:
            raise ConfigurationError(_text(f"{name} is not installed")) from error
        version = manifest.installed_version(found)
        if version < manifest.CRD_VERSION:
            text = f"{name} has version {version}, {manifest.CRD_VERSION} is needed"
            raise ConfigurationError(_text(text))


def _text(what: str) -> str:
    return f"{what}: install or upgrade the chart coxswain-crds first, then this one"
