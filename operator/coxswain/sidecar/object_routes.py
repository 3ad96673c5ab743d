"""Jobs and Agents for people: make, list, read, cancel. Objects are made as the API server's own."""

from collections.abc import Mapping

from coxswain import names
from coxswain.api import lineage
from coxswain.api.job import TERMINAL, JobPhase
from coxswain.api.lineage import Lineage
from coxswain.errors import ConflictError
from coxswain.identity.callers import UserCaller
from coxswain.rules import idempotency
from coxswain.sidecar import keyed_objects, making, objects, owning, place, requests
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.keyed_objects import KeyedObjects, NewObject
from coxswain.sidecar.type_store import TypeStore
from coxswain.sidecar.wire import (
    CancelRequest,
    JobQuery,
    ListQuery,
    NewJob,
    ObjectPath,
    Resource,
    ResourceList,
    WorkspacePath,
)
from coxswain.store import mirror
from coxswain.store.mirror import Query
from coxswain.store.pool import Store
from coxswain.web.routes import Answer, Call, route

FINISHED = "job_finished"


class ObjectRoutes:
    """Routes for people."""

    def __init__(
        self,
        store: Store,
        cluster: Objects,
        types: TypeStore,
        keyed: KeyedObjects,
        weights: Mapping[str, int],
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._types = types
        self._keyed = keyed
        self._weights = weights

    @route("POST", "/v1/workspaces/{workspace}/jobs", status=201, errors=(404, 409))
    async def create_job(
        self, call: Call, caller: UserCaller, path: WorkspacePath, body: NewJob
    ) -> Answer[Resource]:
        """Make a Job: the same object as ``kubectl apply`` makes.

        With Idempotency-Key, or spec.idempotencyKey, the same again answers 200 and the Job that
        was made first; another spec answers 409 idempotency_key_reused. With ``parent`` it names
        the Job on whose account it is made; descent has limits.
        """
        spec = keyed_objects.with_key(call, body.spec)
        owning.require_queue(caller, spec.to_wire())
        descent = await self._descent(path.workspace, body.parent, caller)

        async def make(metadata: making.Body) -> making.Body:
            await self._types.check(path.workspace, spec)
            wire = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
            manifest = making.manifest(metadata, wire, caller, descent)
            return await making.create(self._cluster, path.workspace, manifest)

        metadata = body.metadata.to_wire()
        payload = idempotency.payload_hash(path.workspace, spec)
        wanted = NewObject("Job", path.workspace, metadata, payload, spec.idempotency_key)
        made, status = await self._keyed.create(wanted, make)
        return tagged(made, status=status)

    @route("GET", "/v1/jobs")
    async def list_jobs(self, call: Call, caller: UserCaller, query: JobQuery) -> ResourceList:
        """List the Jobs of all workspaces that one may see, newest first."""
        wanted = Query("Job", caller.workspaces, query.phase, query.agent, query.queue)
        return await self._list(wanted, query)

    @route("GET", "/v1/workspaces/{workspace}/jobs")
    async def list_workspace_jobs(
        self, call: Call, caller: UserCaller, path: WorkspacePath, query: JobQuery
    ) -> ResourceList:
        """List the Jobs of a workspace, newest first."""
        wanted = Query("Job", [path.workspace], query.phase, query.agent, query.queue)
        return await self._list(wanted, query)

    @route("GET", "/v1/workspaces/{workspace}/jobs/{name}", errors=(404,))
    async def get_job(self, call: Call, caller: UserCaller, path: ObjectPath) -> Answer[Resource]:
        """Read a Job, with its place in line while it waits for a slot.

        With If-None-Match 304 if it is still the same, the place included.
        """
        found = await objects.find(self._store, self._cluster, "Job", path.workspace, path.name)
        return tagged(await place.told(self._store, self._weights, found), status=200)

    @route(
        "POST", "/v1/workspaces/{workspace}/jobs/{name}/cancel", status=202, errors=(404, 409, 412)
    )
    async def cancel_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: CancelRequest
    ) -> Answer[Resource]:
        """Ask for the end of a Job; the operator brings it about. The same again is harmless.

        With If-Match 412 if it changed meanwhile; 409 job_finished if it has ended, unless by such a request.
        """
        live = await objects.live(self._cluster, "Job", path.workspace, path.name)
        owning.require(caller, live)
        standing = objects.of(live, "Job")
        requests.check_unchanged(call, standing)
        is_asked = names.ANNOTATION_CANCEL in live["metadata"].get("annotations", {})
        if standing.status in TERMINAL and not (is_asked and standing.status == JobPhase.CANCELLED):
            raise ConflictError(f"the Job has ended: {standing.status}", code=FINISHED)
        if is_asked:
            return tagged(standing, status=202)
        version = standing.version if call.header("If-Match") is not None else None
        request = requests.of_person(caller, body.reason)
        asked = requests.Asked(path, names.ANNOTATION_CANCEL, request)
        changed = await requests.annotate(self._cluster, asked, standing, version)
        return tagged(changed, status=202)

    @route("GET", "/v1/agents")
    async def list_agents(self, call: Call, caller: UserCaller, query: ListQuery) -> ResourceList:
        """List the Agents of all workspaces that one may see, newest first."""
        return await self._list(Query("Agent", caller.workspaces, query.phase), query)

    @route("GET", "/v1/workspaces/{workspace}/agents")
    async def list_workspace_agents(
        self, call: Call, caller: UserCaller, path: WorkspacePath, query: ListQuery
    ) -> ResourceList:
        """List the Agents of a workspace, newest first."""
        return await self._list(Query("Agent", [path.workspace], query.phase), query)

    @route("GET", "/v1/workspaces/{workspace}/agents/{name}", errors=(404,))
    async def get_agent(self, call: Call, caller: UserCaller, path: ObjectPath) -> Answer[Resource]:
        """Read an Agent; with If-None-Match 304 if it is still the same."""
        found = await objects.find(self._store, self._cluster, "Agent", path.workspace, path.name)
        return tagged(found, status=200)

    async def _descent(
        self, workspace: str, parent: str | None, caller: UserCaller
    ) -> Lineage | None:
        if parent is None:
            return None
        live = (await objects.live(self._cluster, "Job", workspace, parent))["metadata"]
        standing = lineage.read(live.get("annotations") or {})
        return lineage.after("Child", parent, live["uid"], of=standing, by=str(caller))

    async def _list(self, wanted: Query, query: ListQuery) -> ResourceList:
        cursor = objects.read_cursor(query.cursor)
        return objects.listed(await self._store.run(mirror.page, wanted, cursor, limit=query.limit))


def tagged(resource: Resource, *, status: int) -> Answer[Resource]:
    """The object with its tag."""
    return Answer(resource, status=status, headers={"ETag": objects.etag(resource)})
