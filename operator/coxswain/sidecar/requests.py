"""What people ask of an object that is there already: an annotation, which the operator reads."""

import json
from dataclasses import dataclass
from typing import Any

from coxswain.errors import ConflictError
from coxswain.kube import paths
from coxswain.sidecar import objects
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import ObjectPath, Resource
from coxswain.web import problems


@dataclass(frozen=True)
class Asked:
    """Of which Job, by which annotation, what."""

    job: ObjectPath
    annotation: str
    request: dict[str, Any]


async def annotate(cluster: Objects, asked: Asked, version: str | None) -> Resource:
    """Leave the request on the Job; with a version only if it is still that one.

    Raises ConflictError precondition_failed.
    """
    metadata: dict[str, Any] = {"annotations": {asked.annotation: json.dumps(asked.request)}}
    if version is not None:
        metadata["resourceVersion"] = version
    path = paths.of("jobs", asked.job.workspace, asked.job.name)
    try:
        changed = await cluster.patch(path, {"metadata": metadata})
    except ConflictError as error:
        raise stale() from error
    return objects.of(changed, "Job")


def stale() -> ConflictError:
    """The answer to whoever decides on what is no longer so."""
    return ConflictError("the Job changed meanwhile", code=problems.PRECONDITION_FAILED)
