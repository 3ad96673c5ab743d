"""Jobs and Agents for people: make, list, read, cancel. Objects are made as the API server's own."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from coxswain import names
from coxswain.api.job import TERMINAL, JobSpec
from coxswain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from coxswain.identity.callers import UserCaller
from coxswain.kube import paths
from coxswain.sidecar import objects, place, type_store
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
from coxswain.web import problems
from coxswain.web.routes import Answer, Call, route

FIELD_MANAGER = "coxswain-api"
STRICT = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
FINISHED = "job_finished"
KEY_HEADER = "Idempotency-Key"
KEY = r"[!-~]{1,255}"
Body = dict[str, Any]


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
        was made first; another spec answers 409 idempotency_key_reused.
        """
        spec = _with_key(call, body.spec)

        async def make(name: str | None) -> Body:
            await self._types.check(path.workspace, spec)
            return await self._create(path.workspace, _manifest(body.metadata, spec, name))

        if spec.idempotency_key is None:
            return _tagged(objects.of(await make(None), "Job"), status=201)
        made, status = await self._keyed.create(path.workspace, body.metadata, spec, make)
        return _tagged(made, status=status)

    @route("GET", "/v1/jobs")
    async def list_jobs(
        self, call: Call, caller: UserCaller, query: JobQuery
    ) -> Answer[ResourceList] | web.Response:
        """List the Jobs of all workspaces, newest first."""
        wanted = Query("Job", None, query.phase, query.agent, query.queue)
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
        return _answer(call, await place.told(self._store, self._weights, found))

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
        standing = objects.of(live, "Job")
        expected = call.header("If-Match")
        if expected is not None and not _sees(expected, objects.etag(standing)):
            raise _stale()
        if standing.status in TERMINAL:
            raise ConflictError(f"the Job has ended: {standing.status}", code=FINISHED)
        if names.ANNOTATION_CANCEL in live["metadata"].get("annotations", {}):
            return _tagged(standing, status=202)
        version = standing.version if expected is not None else None
        return _tagged(await self._annotate(path, caller, body.reason, version), status=202)

    @route("GET", "/v1/agents")
    async def list_agents(
        self, call: Call, caller: UserCaller, query: ListQuery
    ) -> Answer[ResourceList] | web.Response:
        """List the Agents of all workspaces, newest first."""
        return await self._list(call, Query("Agent", phase=query.phase), query)

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
        return _answer(call, found)

    async def _create(self, workspace: str, manifest: Body) -> Body:
        try:
            return await self._cluster.create(paths.collection("jobs", workspace), manifest, STRICT)
        except ForbiddenError as error:
            if error.code != "forbidden":
                raise
            raise ForbiddenError(
                f"'{workspace}' is not an onboarded workspace", code=type_store.NOT_ONBOARDED
            ) from error
        except NotFoundError as error:
            raise NotFoundError(f"there is no workspace '{workspace}'") from error

    async def _annotate(
        self, path: ObjectPath, caller: UserCaller, reason: str | None, version: str | None
    ) -> Resource:
        request = {"by": str(caller), "at": datetime.now(UTC).isoformat(), "why": reason or ""}
        metadata: Body = {"annotations": {names.ANNOTATION_CANCEL: json.dumps(request)}}
        if version is not None:
            metadata["resourceVersion"] = version
        try:
            changed = await self._cluster.patch(
                paths.of("jobs", path.workspace, path.name), {"metadata": metadata}
            )
        except ConflictError as error:
            raise _stale() from error
        return objects.of(changed, "Job")

    async def _list(
        self, call: Call, wanted: Query, query: ListQuery
    ) -> Answer[ResourceList] | web.Response:
        cursor = objects.read_cursor(query.cursor)
        page = await self._store.run(mirror.page, wanted, cursor, limit=query.limit)
        found = objects.listed(page)
        tag = objects.list_etag(found.items)
        return _unchanged(call, tag) or Answer(found, headers={"ETag": tag})


def _answer(call: Call, found: Resource) -> Answer[Resource] | web.Response:
    tag = objects.etag(found)
    return _unchanged(call, tag) or Answer(found, headers={"ETag": tag})


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


def _manifest(metadata: NewMetadata, spec: JobSpec, name: str | None) -> Body:
    given = metadata.to_wire()
    if name is not None:
        given = {**given, "name": name}
        given.pop("generateName", None)
    return {
        "apiVersion": names.API_VERSION,
        "kind": "Job",
        "metadata": given,
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }


def _tagged(resource: Resource, *, status: int) -> Answer[Resource]:
    return Answer(resource, status=status, headers={"ETag": objects.etag(resource)})


def _unchanged(call: Call, tag: str) -> web.Response | None:
    expected = call.header("If-None-Match")
    if expected is None or not _matches(expected, tag):
        return None
    return web.Response(status=304, headers={"ETag": tag})


def _matches(header: str, tag: str) -> bool:
    given = _tags(header)
    return "*" in given or tag in given


def _sees(header: str, tag: str) -> bool:
    """Whether the version was seen: a Job that only moved in its line is no other one."""
    given = [objects.version_tag(each) for each in _tags(header)]
    return "*" in given or tag in given


def _tags(header: str) -> list[str]:
    return [each.strip().removeprefix("W/") for each in header.split(",")]


def _stale() -> ConflictError:
    return ConflictError("the Job changed meanwhile", code=problems.PRECONDITION_FAILED)
