"""Children with derived names: making one twice makes one."""

from typing import Any

from coxswain.errors import ConflictError, NotFoundError
from coxswain.kube import answers, paths
from coxswain.kube.client import Client
from coxswain.reconcile import key

FOREIGN_OBJECT = "foreign_object"


async def create(
    client: Client, plural: str, namespace: str, manifest: dict[str, Any]
) -> dict[str, Any]:
    """Create a child; one that is there and has the same controller is the one that we made.

    Raises ConflictError: foreign_object where the name belongs to somebody else, conflict where the
    one that was there is gone meanwhile.
    """
    try:
        return await client.create(paths.collection(plural, namespace), manifest)
    except ConflictError as error:
        if error.code != answers.ALREADY_EXISTS:
            raise
        name = manifest["metadata"]["name"]
        found = await _there(client, plural, namespace, name)
        if key.owner(found) != key.owner(manifest):
            raise foreign(plural, name, namespace) from error
        return found


async def _there(client: Client, plural: str, namespace: str, name: str) -> dict[str, Any]:
    try:
        return await client.get(paths.of(plural, namespace, name))
    except NotFoundError as error:
        raise ConflictError(f"{plural} {name} in {namespace} was there and is gone") from error


def foreign(plural: str, name: str, namespace: str) -> ConflictError:
    """The refusal to touch what is somebody else's."""
    return ConflictError(
        f"{plural} {name} in {namespace} is there already and belongs to somebody else;"
        " remove or rename it",
        code=FOREIGN_OBJECT,
    )
