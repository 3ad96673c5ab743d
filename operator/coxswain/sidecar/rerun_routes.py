"""The same work once more: a new Job that names the one it comes from."""

from typing import Any

from coxswain.api import lineage
from coxswain.api.job import TERMINAL
from coxswain.errors import ConflictError, NotFoundError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import making, objects, owning
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import ObjectPath, RerunRequest, Resource
from coxswain.store import mirror
from coxswain.store.pool import Store
from coxswain.web.routes import Answer, Call, route

NOT_FINISHED = "job_not_finished"
LEFT_OUT = frozenset({"cancel", "suspend", "dependsOn", "idempotencyKey"})
"""What belongs to the former Job alone: how it was ended, what it waited for, its key."""
STEM = 52
"""Characters of the former name that stay, so that the new one is a label too."""


class RerunRoutes:
    """Re-runs of Jobs, also of those that are gone."""

    def __init__(self, store: Store, cluster: Objects) -> None:
        self._store = store
        self._cluster = cluster

    @route("POST", "/v1/workspaces/{workspace}/jobs/{name}/rerun", status=201, errors=(404, 409))
    async def rerun_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: RerunRequest
    ) -> Answer[Resource]:
        """Make a new Job with the spec of one that has ended. It names its origin.

        Of a Job that is gone the last record is taken. What it depended on is not waited for again.
        409 job_not_finished.
        """
        former = await self._former(path)
        owning.require_queue(caller, former["spec"])
        origin = objects.of(former, "Job")
        if origin.status not in TERMINAL:
            raise ConflictError(
                f"the Job is {origin.status}; cancel it or wait for its end", code=NOT_FINISHED
            )
        spec = {name: value for name, value in origin.spec.items() if name not in LEFT_OUT}
        standing = lineage.read(former["metadata"].get("annotations") or {})
        descent = lineage.after("Rerun", origin.name, origin.id, of=standing, by=str(caller))
        named = {"name": body.name} if body.name else {"generateName": f"{origin.name[:STEM]}-"}
        manifest = making.manifest(named, spec, caller, descent)
        made = objects.of(await making.create(self._cluster, path.workspace, manifest), "Job")
        return Answer(made, status=201, headers={"ETag": objects.etag(made)})

    async def _former(self, path: ObjectPath) -> dict[str, Any]:
        """The object as it is, or as it was last."""
        try:
            return await objects.live(self._cluster, "Job", path.workspace, path.name)
        except NotFoundError:
            row = await self._store.run(mirror.last, "Job", path.workspace, path.name)
            if row is None:
                raise
            return row.body
