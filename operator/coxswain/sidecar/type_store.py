"""Job types as the API reads and writes them: ConfigMaps of a workspace, over what is built in."""

from typing import Any

from coxswain import names
from coxswain.api.job import JobSpec
from coxswain.api.job_type import JobTypeSpec
from coxswain.errors import ForbiddenError, NotFoundError, UserError
from coxswain.kube import paths
from coxswain.rules import job_types
from coxswain.rules.built_in_types import BUILT_IN
from coxswain.sidecar.cluster import Objects

Body = dict[str, Any]
NOT_ONBOARDED = "workspace_not_onboarded"
LISTED = 500


class TypeStore:
    """The types of workspaces. Each question is asked live."""

    def __init__(self, cluster: Objects) -> None:
        self._cluster = cluster

    async def check(self, workspace: str, job: JobSpec) -> None:
        """Raise UserError unless the type of a Job, where it has one, takes its input."""
        if job.type is not None:
            found = await self.map_of(workspace, job.type)
            job_types.resolve(workspace, job, job_types.of_map(job.type, found))

    async def map_of(self, workspace: str, name: str) -> Body | None:
        """The ConfigMap of a type, if there is one."""
        try:
            return await self._cluster.get(_path(workspace, name))
        except ForbiddenError as error:
            raise not_onboarded(workspace, error) from error
        except NotFoundError:
            return None

    async def all_of(self, workspace: str) -> dict[str, Body | None]:
        """The ConfigMap by the name of the type, or None for one that is only built in."""
        params = {"labelSelector": names.LABEL_JOB_TYPE, "limit": str(LISTED)}
        try:
            page = await self._cluster.get(paths.collection("configmaps", workspace), params)
        except ForbiddenError as error:
            raise not_onboarded(workspace, error) from error
        found: dict[str, Body | None] = dict.fromkeys(BUILT_IN)
        for raw in page["items"]:
            name = raw["metadata"]["name"]
            if name.startswith(names.JOB_TYPE_PREFIX):
                found[name.removeprefix(names.JOB_TYPE_PREFIX)] = raw
        return dict(sorted(found.items()))

    async def make(self, workspace: str, name: str, data: dict[str, str]) -> Body:
        """Make the ConfigMap. Raises ConflictError already_exists."""
        metadata = {
            "name": names.job_type_map(name),
            "labels": {names.LABEL_JOB_TYPE: "true", names.LABEL_MANAGED_BY: names.MANAGER},
        }
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        try:
            return await self._cluster.create(paths.collection("configmaps", workspace), body)
        except ForbiddenError as error:
            raise not_onboarded(workspace, error) from error

    async def change(
        self, workspace: str, name: str, data: dict[str, str | None], version: str | None
    ) -> Body:
        """Change keys of the ConfigMap; None takes one away. Raises ConflictError if it changed."""
        body: Body = {"data": data}
        if version is not None:
            body["metadata"] = {"resourceVersion": version}
        return await self._cluster.patch(_path(workspace, name), body)


def read(name: str, raw: Body | None) -> JobTypeSpec | UserError:
    """The type, or why it is wrong."""
    found = job_types.of_map(name, raw)
    return found if found is not None else unknown(name)


def unknown(name: str) -> NotFoundError:
    """There is no such type."""
    return NotFoundError(f"there is no job type '{name}'", code=job_types.UNKNOWN)


def not_onboarded(workspace: str, error: ForbiddenError) -> ForbiddenError:
    """The API may do nothing there; an admission policy's own words are kept."""
    if error.code != "forbidden":
        return error
    return ForbiddenError(f"'{workspace}' is not an onboarded workspace", code=NOT_ONBOARDED)


def _path(workspace: str, name: str) -> str:
    return paths.of("configmaps", workspace, names.job_type_map(name))
