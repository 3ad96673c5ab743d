"""The same work once more: a new Job that names the one it comes from."""

from typing import Any

from pydantic import ValidationError

from coxswain.api import lineage
from coxswain.api.job import TERMINAL, JobSpec
from coxswain.errors import ConflictError, NotFoundError
from coxswain.identity.callers import UserCaller
from coxswain.rules import idempotency
from coxswain.sidecar import keyed_objects, making, objects, owning, requests
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.keyed_objects import KEY_HEADER, KeyedObjects, NewObject
from coxswain.sidecar.object_routes import tagged
from coxswain.sidecar.wire import ObjectPath, RerunRequest, Resource
from coxswain.store import mirror
from coxswain.store.pool import Store
from coxswain.web import reading
from coxswain.web.routes import Answer, Call, route

NOT_FINISHED = "job_not_finished"
LEFT_OUT = frozenset({"cancel", "suspend", "dependsOn", "idempotencyKey"})
"""What belongs to the former Job alone: how it was ended, what it waited for, its key."""
STEM = 52
"""Characters of the former name that stay, so that the new one is a label too."""


class RerunRoutes:
    """Re-runs of Jobs, also of those that are gone."""

    def __init__(self, store: Store, cluster: Objects, keyed: KeyedObjects) -> None:
        self._store = store
        self._cluster = cluster
        self._keyed = keyed

    @route(
        "POST",
        "/v1/workspaces/{workspace}/jobs/{name}/rerun",
        status=201,
        errors=(404, 409, 412),
    )
    async def rerun_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: RerunRequest
    ) -> Answer[Resource]:
        """Make a new Job with the spec of one that has ended. It names its origin.

        Of a Job that is gone the last record is taken. What it depended on is not waited for again.
        With Idempotency-Key the same again answers 200 and the Job that was made first. 409
        job_not_finished, idempotency_key_reused; with If-Match 412 if the former Job changed.
        """
        former = await self._former(path)
        owning.require_queue(caller, former["spec"])
        origin = objects.of(former, "Job")
        requests.check_unchanged(call, origin)
        if origin.status not in TERMINAL:
            raise ConflictError(
                f"the Job is {origin.status}; cancel it or wait for its end", code=NOT_FINISHED
            )
        spec = {name: value for name, value in origin.spec.items() if name not in LEFT_OUT}
        standing = lineage.read(former["metadata"].get("annotations") or {})
        descent = lineage.after("Rerun", origin.name, origin.id, of=standing, by=str(caller))
        if (key := keyed_objects.key_of(call)) is not None:
            spec["idempotencyKey"] = key

        async def make(metadata: making.Body) -> making.Body:
            manifest = making.manifest(metadata, spec, caller, descent)
            return await making.create(self._cluster, path.workspace, manifest)

        named = {"name": body.name} if body.name else {"generateName": f"{origin.name[:STEM]}-"}
        payload = "" if key is None else _payload(path.workspace, spec)
        wanted = NewObject("Job", path.workspace, named, payload, key)
        made, status = await self._keyed.create(wanted, make)
        if made.lineage is None or made.lineage.uid != origin.id:
            raise _another(made)
        return tagged(made, status=status)

    async def _former(self, path: ObjectPath) -> dict[str, Any]:
        """The object as it is, or as it was last."""
        try:
            return await objects.live(self._cluster, "Job", path.workspace, path.name)
        except NotFoundError:
            row = await self._store.run(mirror.last, "Job", path.workspace, path.name)
            if row is None:
                raise
            return row.body


def _payload(workspace: str, spec: dict[str, Any]) -> str:
    try:
        return idempotency.payload_hash(workspace, JobSpec.model_validate(spec))
    except ValidationError as error:
        raise reading.refusal(error, "spec.") from error


def _another(made: Resource) -> ConflictError:
    text = f"the key stands for Job '{made.name}', which is no re-run of this one; take a new key"
    return ConflictError(text, code=idempotency.REUSED, field=f"header.{KEY_HEADER}")
