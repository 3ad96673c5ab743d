"""The result of a Job, whole, for people; its status holds the short form."""

import json
from datetime import datetime
from typing import Any

from coxswain.api.contract import ResultStatus
from coxswain.api.meta import Model
from coxswain.errors import NotFoundError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import objects
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import AttemptQuery, ObjectPath
from coxswain.store import results
from coxswain.store.pool import Store
from coxswain.web.routes import Call, route


class ResultView(Model):
    """What an attempt posted."""

    attempt: int
    """Which attempt."""
    at: datetime
    """When."""
    status: ResultStatus
    """Whether it succeeded."""
    answer: str | None = None
    """The answer, or a command's standard output."""
    output: Any = None
    """What the Job's type asks for; it was checked against the type's schema."""
    reason: str | None = None
    """Why it failed, in a word."""
    message: str | None = None
    """Why, in a sentence."""
    exit_code: int | None = None
    """The command's exit code."""
    artifacts: list[str]
    """Files that were kept."""


class ResultRoutes:
    """Routes for people."""

    def __init__(self, store: Store, cluster: Objects) -> None:
        self._store = store
        self._cluster = cluster

    @route("GET", "/v1/workspaces/{workspace}/jobs/{name}/result", errors=(404,))
    async def read_result(
        self, call: Call, caller: UserCaller, path: ObjectPath, query: AttemptQuery
    ) -> ResultView:
        """Read the result of a Job, whole: of the newest attempt that has one, or of one given."""
        uid = await objects.uid(self._store, self._cluster, "Job", path.workspace, path.name)
        kept = await self._store.run(results.of_job, uid, query.attempt)
        if kept is None:
            raise NotFoundError("no attempt of the Job has posted a result")
        found = kept.result
        return ResultView(
            attempt=kept.attempt,
            at=kept.at,
            status=found.status,
            answer=found.answer,
            output=None if found.output is None else json.loads(found.output),
            reason=found.reason,
            message=found.message,
            exit_code=found.exit_code,
            artifacts=found.artifacts,
        )
