"""Jobs, Schedules and Leases as the API makes them: the API server's own objects, checked strictly."""

from typing import Any

from coxswain import names
from coxswain.api.lineage import Lineage
from coxswain.errors import ForbiddenError, NotFoundError
from coxswain.identity.callers import UserCaller
from coxswain.kube import paths
from coxswain.sidecar.cluster import Objects
from coxswain.telemetry import traces

FIELD_MANAGER = "coxswain-api"
STRICT = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
NOT_ONBOARDED = "workspace_not_onboarded"
Body = dict[str, Any]


def manifest(
    metadata: Body,
    spec: Body,
    caller: UserCaller,
    lineage: Lineage | None = None,
    *,
    kind: str = "Job",
) -> Body:
    """A Job or another object, with who asks for it and where it comes from."""
    annotations = {**metadata.get("annotations", {}), names.ANNOTATION_REQUESTER: caller.name}
    if lineage is not None:
        annotations[names.ANNOTATION_LINEAGE] = lineage.model_dump_json()
    if kind == "Job" and (caller_span := traces.current()) is not None:
        annotations[names.ANNOTATION_TRACEPARENT] = caller_span.header
    metadata = {**metadata, "annotations": annotations}
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }


async def create(cluster: Objects, workspace: str, body: Body, plural: str = "jobs") -> Body:
    """Make an object of ours. Raises UserError with the field, ConflictError, ForbiddenError, NotFoundError."""
    try:
        return await cluster.create(paths.collection(plural, workspace), body, STRICT)
    except ForbiddenError as error:
        if error.code != "forbidden":
            raise
        raise ForbiddenError(
            f"'{workspace}' is not an onboarded workspace", code=NOT_ONBOARDED
        ) from error
    except NotFoundError as error:
        raise NotFoundError(f"there is no workspace '{workspace}'") from error
