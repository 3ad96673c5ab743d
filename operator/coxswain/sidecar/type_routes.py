"""Job types for people: list, read, make, change."""

from coxswain import names
from coxswain.errors import ConflictError, UserError
from coxswain.identity.callers import UserCaller
from coxswain.rules import job_types
from coxswain.rules.built_in_types import BUILT_IN
from coxswain.sidecar import keyed_objects, type_store
from coxswain.sidecar.type_store import Body, TypeStore
from coxswain.sidecar.type_wire import JobTypeChange, JobTypeList, JobTypeView, NewJobType, TypePath
from coxswain.sidecar.wire import WorkspacePath
from coxswain.web import conditional, problems
from coxswain.web.routes import Answer, Call, route

PROGRAM = frozenset({"command", "image"})
PROMPT = frozenset({"prompt"})
BUILT_IN_VERSION = "built-in"


class TypeRoutes:
    """Routes for people."""

    def __init__(self, types: TypeStore) -> None:
        self._types = types

    @route("GET", "/v1/workspaces/{workspace}/job-types")
    async def list_job_types(
        self, call: Call, caller: UserCaller, path: WorkspacePath
    ) -> JobTypeList:
        """List the job types of a workspace: those built in, and its own."""
        found = await self._types.all_of(path.workspace)
        return JobTypeList(items=[_view(path.workspace, name, raw) for name, raw in found.items()])

    @route("GET", "/v1/workspaces/{workspace}/job-types/{name}", errors=(404,))
    async def get_job_type(
        self, call: Call, caller: UserCaller, path: TypePath
    ) -> Answer[JobTypeView]:
        """Read a job type."""
        raw = await self._types.map_of(path.workspace, path.name)
        if raw is None and path.name not in BUILT_IN:
            raise type_store.unknown(path.name)
        return _tagged(_view(path.workspace, path.name, raw))

    @route("POST", "/v1/workspaces/{workspace}/job-types", status=201, errors=(409,))
    async def create_job_type(
        self, call: Call, caller: UserCaller, path: WorkspacePath, body: NewJobType
    ) -> Answer[JobTypeView]:
        """Make a job type: a labelled ConfigMap, as a Git repository may hold it too.

        With Idempotency-Key the same again answers 200 and what stands; 409 where that is another.
        """
        job_types.checked(body.name, body.spec)
        data, status = job_types.to_data(body.spec), 201
        try:
            raw = await self._types.make(path.workspace, body.name, data)
        except ConflictError:
            standing = await self._types.map_of(path.workspace, body.name)
            if (
                keyed_objects.key_of(call) is None
                or standing is None
                or standing.get("data") != data
            ):
                raise
            raw, status = standing, 200
        return _tagged(_view(path.workspace, body.name, raw), status=status)

    @route("PATCH", "/v1/workspaces/{workspace}/job-types/{name}", errors=(404, 409, 412))
    async def change_job_type(
        self, call: Call, caller: UserCaller, path: TypePath, body: JobTypeChange
    ) -> Answer[JobTypeView]:
        """Change a job type: enable it, or give it other defaults, schemas or another handler.

        With If-Match 412 if it changed meanwhile. Attempts that run go on as they began.
        """
        raw = await self._types.map_of(path.workspace, path.name)
        if raw is None and path.name not in BUILT_IN:
            raise type_store.unknown(path.name)
        expected = call.header("If-Match")
        if expected is not None and not conditional.sees(expected, _tag(raw)):
            raise _stale()
        data = _changed(path.name, raw, body)
        try:
            if raw is None:
                made = await self._types.make(path.workspace, path.name, _kept(data))
            else:
                version = raw["metadata"]["resourceVersion"]
                made = await self._types.change(path.workspace, path.name, data, version)
        except ConflictError as error:
            raise _stale() from error
        return _tagged(_view(path.workspace, path.name, made))


def _changed(name: str, raw: Body | None, body: JobTypeChange) -> dict[str, str | None]:
    """The keys to write; checked as what the whole comes to."""
    given = body.to_wire()
    if not given:
        raise UserError("name at least one field that is to change", field="body")
    data: dict[str, str | None] = dict(job_types.encoded(given))
    standing = {} if raw is None else raw.get("data") or {}
    for some, others in ((PROGRAM, PROMPT), (PROMPT, PROGRAM)):
        if some & set(given) and not others & set(given):
            data |= dict.fromkeys(others & set(standing))
    whole = job_types.data_of(name, _kept({**standing, **data}))
    job_types.read(name, whole or {})
    return data


def _kept(data: dict[str, str | None]) -> dict[str, str]:
    return {key: text for key, text in data.items() if text is not None}


def _view(workspace: str, name: str, raw: Body | None) -> JobTypeView:
    found = type_store.read(name, raw)
    labelled = raw is not None and names.LABEL_JOB_TYPE in (raw["metadata"].get("labels") or {})
    return JobTypeView(
        name=name,
        workspace=workspace,
        origin="Workspace" if labelled else "BuiltIn",
        version=raw["metadata"]["resourceVersion"] if raw is not None else None,
        spec=None if isinstance(found, UserError) else found,
        problem=found.message if isinstance(found, UserError) else None,
    )


def _tag(raw: Body | None) -> str:
    return f'"{raw["metadata"]["resourceVersion"] if raw is not None else BUILT_IN_VERSION}"'


def _tagged(view: JobTypeView, *, status: int = 200) -> Answer[JobTypeView]:
    # What is built in comes with the program, and is another in the next one.
    tag = conditional.versioned(view.version or BUILT_IN_VERSION, view.model_dump_json().encode())
    return Answer(view, status=status, headers={"ETag": tag})


def _stale() -> ConflictError:
    return ConflictError("the job type changed meanwhile", code=problems.PRECONDITION_FAILED)
