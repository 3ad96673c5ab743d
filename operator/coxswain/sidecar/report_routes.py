"""What a run may read beyond its own, where the type of its Job grants it."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from coxswain.api.meta import Model
from coxswain.errors import ForbiddenError
from coxswain.identity.callers import AgentCaller
from coxswain.store import reporting
from coxswain.store.pool import Store
from coxswain.web.routes import Call, route

GRANT = "workspace.report"


class ReportQuery(Model):
    """Over what time."""

    hours: Annotated[int, Field(ge=1, le=744)] = 24
    """So many hours back from now."""


class ModelCallsView(Model):
    """What one model was asked."""

    model: str
    """Provider and model."""
    calls: int
    """How often."""
    failed: int
    """How many of these failed."""
    input_tokens: int
    """Tokens that went in."""
    output_tokens: int
    """Tokens that came out."""


class ReportView(Model):
    """The numbers of the run's own workspace."""

    workspace: str
    """Which."""
    since: datetime
    """What is counted began at or after this."""
    until: datetime
    """When it was counted."""
    jobs: dict[str, int]
    """Jobs by phase."""
    attempts: dict[str, int]
    """Attempts by their end: Open, or outcome and reason."""
    agents: dict[str, int]
    """Attempts by Agent."""
    models: list[ModelCallsView]
    """Model calls."""


class ReportRoutes:
    """Routes for agent pods."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @route("GET", "/v1/run/report")
    async def read_report(self, call: Call, caller: AgentCaller, query: ReportQuery) -> ReportView:
        """Read the numbers of the own workspace; for runs whose type grants workspace.report."""
        run = caller.run
        if GRANT not in run.document.grants:
            raise ForbiddenError(f"the Job's type does not grant {GRANT}")
        found = await self._store.transact(reporting.of_workspace, run.workspace, query.hours)
        return ReportView(
            workspace=run.workspace,
            since=found.since,
            until=found.until,
            jobs=found.jobs,
            attempts=found.attempts,
            agents=found.agents,
            models=[ModelCallsView(**vars(each)) for each in found.models],
        )
