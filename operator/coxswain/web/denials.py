"""Where a denial is known: every refusal for want of identity or right passes here, once, at any route."""

from aiohttp import web

from coxswain.errors import CoxswainError, ForbiddenError, UnauthenticatedError
from coxswain.telemetry import logs
from coxswain.web import auditing
from coxswain.web.routes import CALLER, ROUTE

log = logs.get(__name__)


async def denied(request: web.Request, error: CoxswainError) -> None:
    """Tell of a refusal, if it is one for want of identity or right; of any other, nothing."""
    if not isinstance(error, UnauthenticatedError | ForbiddenError):
        return
    caller = request.get(CALLER)
    log.info(
        "request denied",
        security=True,
        method=request.method,
        route=str(request.get(ROUTE, "none")),
        workspace=auditing.place(request).get("workspace"),
        caller=None if caller is None else str(caller),
        code=error.code,
        reason=error.message,
    )
    await auditing.denied(request, error)
