"""What people ask of an object that is there already: an annotation, which the operator reads."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coxswain.errors import ConflictError, UserError
from coxswain.identity.callers import UserCaller
from coxswain.kube import paths
from coxswain.sidecar import objects
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import ObjectPath, Resource
from coxswain.web import conditional, problems
from coxswain.web.routes import Call

UID = "metadata.uid"
"""The field that the API server refuses where the object of that name is another one."""


@dataclass(frozen=True)
class Asked:
    """Of which object, by which annotation, what."""

    object: ObjectPath
    annotation: str
    request: dict[str, Any] | None
    """None takes the annotation away."""
    kind: str = "Job"


async def annotate(
    cluster: Objects, asked: Asked, standing: Resource, version: str | None
) -> Resource:
    """Leave the request on the object that was looked at; with a version only if it is still that one.

    Raises ConflictError precondition_failed, also where another one has its name by now.
    """
    text = None if asked.request is None else json.dumps(asked.request)
    metadata: dict[str, Any] = {"uid": standing.id, "annotations": {asked.annotation: text}}
    if version is not None:
        metadata["resourceVersion"] = version
    path = paths.of(objects.PLURALS[asked.kind], asked.object.workspace, asked.object.name)
    try:
        changed = await cluster.patch(path, {"metadata": metadata})
    except ConflictError as error:
        raise stale(asked.kind) from error
    except UserError as error:
        if error.field != UID:
            raise
        raise stale(asked.kind) from error
    return objects.of(changed, asked.kind)


def of_person(caller: UserCaller, reason: str | None) -> dict[str, Any]:
    """Who asks, when and why."""
    return {"by": str(caller), "at": datetime.now(UTC).isoformat(), "why": reason or ""}


def check_unchanged(call: Call, standing: Resource) -> None:
    """With If-Match only on what was seen. Raises ConflictError precondition_failed."""
    expected = call.header("If-Match")
    if expected is not None and not conditional.sees(expected, objects.etag(standing)):
        raise stale(standing.kind)


def stale(kind: str = "Job") -> ConflictError:
    """The answer to whoever decides on what is no longer so."""
    return ConflictError(f"the {kind} changed meanwhile", code=problems.PRECONDITION_FAILED)
