"""The job types of workspaces, as the operator reads them: by name, when a Job wants one.

Kept for a few seconds. Nothing is refused but by a fresh look, so a type that was just made or
enabled is never missed.
"""

import time
from collections.abc import Callable

from coxswain import names
from coxswain.api.job import JobSpec
from coxswain.api.job_type import JobTypeSpec
from coxswain.errors import NotFoundError, UserError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.reconcile.once import Kept
from coxswain.rules import job_types
from coxswain.rules.job_types import Resolved

KEPT_SECONDS = 10.0

Found = JobTypeSpec | UserError | None


class JobTypes:
    """Types by workspace and name."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._kept: Kept[Found] = Kept(self._look, lambda _: KEPT_SECONDS, clock)

    async def resolve(self, workspace: str, job: JobSpec) -> Resolved | UserError:
        """The Job with its type applied, or why it is refused."""
        place = f"{workspace}/{job.type}"
        try:
            return job_types.resolve(workspace, job, await self._kept.get(place))
        except UserError:
            self._kept.forget(place)
        try:
            return job_types.resolve(workspace, job, await self._kept.get(place))
        except UserError as error:
            return error

    async def _look(self, place: str) -> Found:
        workspace, _, name = place.partition("/")
        try:
            raw = await self._client.get(
                paths.of("configmaps", workspace, names.job_type_map(name))
            )
        except NotFoundError:
            raw = None
        return job_types.of_map(name, raw)
