"""Jobs and Agents for people: make, list, read, cancel. Objects are made as the API server's own."""

import re
from collections.abc import Mapping

from aiohttp import web

from coxswain import names
from coxswain.api import lineage
from coxswain.api.job import TERMINAL, JobSpec
from coxswain.api.lineage import Lineage
from coxswain.errors import ConflictError, UserError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import making, objects, owning, place, requests
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.keyed_jobs import KeyedJobs
from coxswain.sidecar.type_store import TypeStore
from coxswain.sidecar.wire import (
    CancelRequest,
    JobQuery,
    ListQuery,
    NewJob,
    NewMetadata,
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
KEY_HEADER = "Idempotency-Key"
KEY = r"[!-~]{1,255}"


class ObjectRoutes:
    """Routes for people."""

    def __init__(
        self,
        store: Store,
        cluster: Objects,
        types: TypeStore,
        keyed: KeyedJobs,
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
        spec = _with_key(call, body.spec)
        owning.require_queue(caller, spec.to_wire())
        descent = await self._descent(path.workspace, body.parent, caller)

        async def make(name: str | None) -> making.Body:
            await self._types.check(path.workspace, spec)
            wire = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
            manifest = making.manifest(_named(body.metadata, name), wire, caller, descent)
            return await making.create(self._cluster, path.workspace, manifest)

        if spec.idempotency_key is None:
            return tagged(objects.of(await make(None), "Job"), status=201)
        made, status = await self._keyed.create(path.workspace, body.metadata, spec, make)
        return tagged(made, status=status)

    @route("GET", "/v1/jobs")
    async def list_jobs(
        self, call: Call, caller: UserCaller, query: JobQuery
    ) -> Answer[ResourceList] | web.Response:
        """List the Jobs of all workspaces that one may see, newest first."""
        wanted = Query("Job", caller.workspaces, query.phase, query.agent, query.queue)
        return await self._list(call, wanted, query)

    @route("GET", "/v1/workspaces/{workspace}/jobs")
    async def list_workspace_jobs(
        self, call: Call, caller: UserCaller, path: WorkspacePath, query: JobQuery
    ) -> Answer[ResourceList] | web.Response:
        """List the Jobs of a workspace, newest first."""
        wanted = Query("Job", [path.workspace], query.phase, query.agent, query.queue)
        return await self._list(call, wanted, query)

    @route("GET", "/v1/workspaces/{workspace}/jobs/{name}", errors=(404,))
    async def get_job(
        self, call: Call, caller: UserCaller, path: ObjectPath
    ) -> Answer[Resource] | web.Response:
        """Read a Job, with its place in line while it waits for a slot.

        With If-None-Match 304 if it is still the same, the place included.
        """
        found = await objects.find(self._store, self._cluster, "Job", path.workspace, path.name)
        return answered(call, await place.told(self._store, self._weights, found))

    @route(
        "POST", "/v1/workspaces/{workspace}/jobs/{name}/cancel", status=202, errors=(404, 409, 412)
    )
    async def cancel_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: CancelRequest
    ) -> Answer[Resource]:
        """Ask for the end of a Job; the operator brings it about. The same again is harmless.

        With If-Match 412 if it changed meanwhile; 409 job_finished if it has ended.
        """
        live = await objects.live(self._cluster, "Job", path.workspace, path.name)
        owning.require(caller, live)
        standing = objects.of(live, "Job")
        requests.check_unchanged(call, standing)
        if standing.status in TERMINAL:
            raise ConflictError(f"the Job has ended: {standing.status}", code=FINISHED)
        if names.ANNOTATION_CANCEL in live["metadata"].get("annotations", {}):
            return tagged(standing, status=202)
        version = standing.version if call.header("If-Match") is not None else None
        request = requests.of_person(caller, body.reason)
        asked = requests.Asked(path, names.ANNOTATION_CANCEL, request)
        changed = await requests.annotate(self._cluster, asked, standing, version)
        return tagged(changed, status=202)

    @route("GET", "/v1/agents")
    async def list_agents(
        self, call: Call, caller: UserCaller, query: ListQuery
    ) -> Answer[ResourceList] | web.Response:
        """List the Agents of all workspaces that one may see, newest first."""
        return await self._list(call, Query("Agent", caller.workspaces, query.phase), query)

    @route("GET", "/v1/workspaces/{workspace}/agents")
    async def list_workspace_agents(
        self, call: Call, caller: UserCaller, path: WorkspacePath, query: ListQuery
    ) -> Answer[ResourceList] | web.Response:
        """List the Agents of a workspace, newest first."""
        return await self._list(call, Query("Agent", [path.workspace], query.phase), query)

    @route("GET", "/v1/workspaces/{workspace}/agents/{name}", errors=(404,))
    async def get_agent(
        self, call: Call, caller: UserCaller, path: ObjectPath
    ) -> Answer[Resource] | web.Response:
        """Read an Agent; with If-None-Match 304 if it is still the same."""
        found = await objects.find(self._store, self._cluster, "Agent", path.workspace, path.name)
        return answered(call, found)

    async def _descent(
        self, workspace: str, parent: str | None, caller: UserCaller
    ) -> Lineage | None:
        if parent is None:
            return None
        live = (await objects.live(self._cluster, "Job", workspace, parent))["metadata"]
        standing = lineage.read(live.get("annotations") or {})
        return lineage.after("Child", parent, live["uid"], of=standing, by=str(caller))

    async def _list(
        self, call: Call, wanted: Query, query: ListQuery
    ) -> Answer[ResourceList] | web.Response:
        cursor = objects.read_cursor(query.cursor)
        page = await self._store.run(mirror.page, wanted, cursor, limit=query.limit)
        found = objects.listed(page)
        tag = objects.list_etag(found.items)
        return unchanged(call, tag) or Answer(found, headers={"ETag": tag})


def answered(call: Call, found: Resource) -> Answer[Resource] | web.Response:
    """The object with its tag, or 304 where the caller has it as it is."""
    tag = objects.etag(found)
    return unchanged(call, tag) or Answer(found, headers={"ETag": tag})


def _with_key(call: Call, spec: JobSpec) -> JobSpec:
    """The spec with the key of the request's header, if it has one."""
    key = call.header(KEY_HEADER)
    if key is None:
        return spec
    if spec.idempotency_key not in (None, key):
        raise UserError("the header names another key", field="spec.idempotencyKey")
    if not re.fullmatch(KEY, key):
        text = "a key is 1 to 255 visible ASCII characters, no space among them"
        raise UserError(text, field=f"header.{KEY_HEADER}")
    return spec.model_copy(update={"idempotency_key": key})


def _named(metadata: NewMetadata, name: str | None) -> making.Body:
    """The metadata asked for; a name that was found for it takes the place of a beginning."""
    given = metadata.to_wire()
    if name is None:
        return given
    given.pop("generateName", None)
    return {**given, "name": name}


def tagged(resource: Resource, *, status: int) -> Answer[Resource]:
    """The object with its tag."""
    return Answer(resource, status=status, headers={"ETag": objects.etag(resource)})


def unchanged(call: Call, tag: str) -> web.Response | None:
    """304 where If-None-Match names the tag."""
    expected = call.header("If-None-Match")
    if expected is None or not objects.matches(expected, tag):
        return None
    return web.Response(status=304, headers={"ETag": tag})
