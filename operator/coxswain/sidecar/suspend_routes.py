"""Hold a Job back, and let it go on. An attempt that runs is not touched by either."""

from coxswain import names
from coxswain.api.job import TERMINAL
from coxswain.errors import ConflictError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import objects, owning, requests
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.object_routes import FINISHED
from coxswain.sidecar.wire import ObjectPath, Resource, SuspendRequest
from coxswain.web.routes import Answer, Call, route

BY_SPEC = "suspended_by_spec"


class SuspendRoutes:
    """Requests on the object; ``spec.suspend`` stays the owner's."""

    def __init__(self, cluster: Objects) -> None:
        self._cluster = cluster

    @route(
        "POST", "/v1/workspaces/{workspace}/jobs/{name}/suspend", status=202, errors=(404, 409, 412)
    )
    async def suspend_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: SuspendRequest
    ) -> Answer[Resource]:
        """Let no further attempt of a Job start. The same again is harmless.

        409 job_finished if it has ended; with If-Match 412 if it changed meanwhile.
        """
        live = await objects.live(self._cluster, "Job", path.workspace, path.name)
        owning.require(caller, live)
        standing = _standing(call, objects.of(live, "Job"))
        if names.ANNOTATION_SUSPEND in (live["metadata"].get("annotations") or {}):
            return _answer(standing)
        request = requests.of_person(caller, body.reason)
        asked = requests.Asked(path, names.ANNOTATION_SUSPEND, request)
        return _answer(await requests.annotate(self._cluster, asked, standing, standing.version))

    @route(
        "POST", "/v1/workspaces/{workspace}/jobs/{name}/resume", status=202, errors=(404, 409, 412)
    )
    async def resume_job(
        self, call: Call, caller: UserCaller, path: ObjectPath
    ) -> Answer[Resource]:
        """Take the request back. The same again is harmless.

        409 suspended_by_spec where the spec itself says so; 409 job_finished; 412 as for suspend.
        """
        live = await objects.live(self._cluster, "Job", path.workspace, path.name)
        owning.require(caller, live)
        standing = _standing(call, objects.of(live, "Job"))
        if standing.spec.get("suspend"):
            raise ConflictError(
                "spec.suspend is true; set it to false where the spec is kept", code=BY_SPEC
            )
        if names.ANNOTATION_SUSPEND not in (live["metadata"].get("annotations") or {}):
            return _answer(standing)
        asked = requests.Asked(path, names.ANNOTATION_SUSPEND, None)
        return _answer(await requests.annotate(self._cluster, asked, standing, standing.version))


def _standing(call: Call, standing: Resource) -> Resource:
    requests.check_unchanged(call, standing)
    if standing.status in TERMINAL:
        raise ConflictError(f"the Job has ended: {standing.status}", code=FINISHED)
    return standing


def _answer(resource: Resource) -> Answer[Resource]:
    return Answer(resource, status=202, headers={"ETag": objects.etag(resource)})
