"""Every refusal has one form: application/problem+json with code, message, field and request id.

What is the caller's fault says what is wrong; what is ours says only the request id, which leads
to the log line.
"""

import math
from typing import Any

from aiohttp import web

from coxswain.api.meta import Model
from coxswain.errors import (
    ConflictError,
    CoxswainError,
    ForbiddenError,
    NotFoundError,
    TransientError,
    UnauthenticatedError,
    UserError,
)
from coxswain.web import request_ids

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 2.0
MALFORMED = "malformed"
TOO_LARGE = "too_large"
PRECONDITION_FAILED = "precondition_failed"
TOO_SLOW = "body_too_slow"
RATE_LIMITED = "rate_limited"
UNSUPPORTED_TYPE = "unsupported_media_type"

_BY_CODE = {
    MALFORMED: 400,
    "position_unknown": 400,
    PRECONDITION_FAILED: 412,
    TOO_SLOW: 408,
    TOO_LARGE: 413,
    UNSUPPORTED_TYPE: 415,
}
_BY_CLASS: tuple[tuple[type[CoxswainError], int], ...] = (
    (UnauthenticatedError, 401),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (ConflictError, 409),
    (UserError, 422),
    (TransientError, 503),
)
_TITLES = {
    400: "Malformed",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not found",
    408: "Too slow",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


class Problem(Model):
    """The body of every refusal."""

    type: str = "about:blank"
    """Always about:blank: code says which problem it is."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    code: str
    """Stable, for programs."""
    message: str
    """For people: what was wanted, what was found, what to do."""
    field: str | None = None
    """The place in the request that is wrong."""
    request_id: str
    """Find the log lines by it."""


def status_of(error: CoxswainError) -> int:
    """The HTTP status that says the same as this error."""
    if isinstance(error, UserError) and error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, TransientError) and error.code == RATE_LIMITED:
        return 429
    return next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 500)


def answer(error: CoxswainError) -> web.Response:
    """The response for an error of ours."""
    status = status_of(error)
    if status == 500:
        return internal()
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TransientError):
        wait = error.retry_after_seconds
        headers["Retry-After"] = str(math.ceil(RETRY_SECONDS if wait is None else wait))
    return _response(status, error.code, error.message, error.field, headers)


def internal() -> web.Response:
    """The response for what nobody expected: it tells nothing but the request id."""
    return _response(500, "internal", "this is our fault; the log names it by the request id")


def of_http(error: web.HTTPException) -> web.Response:
    """The response for a refusal of the HTTP library itself."""
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    return _response(error.status, "http", error.reason, headers=headers)


def _response(
    status: int,
    code: str,
    message: str,
    field: str | None = None,
    headers: dict[str, Any] | None = None,
) -> web.Response:
    problem = Problem(
        title=_TITLES.get(status, "Refused"),
        status=status,
        code=code,
        message=message,
        field=field,
        request_id=request_ids.current(),
    )
    return web.Response(
        status=status,
        text=problem.model_dump_json(by_alias=True, exclude_none=True),
        content_type=CONTENT_TYPE,
        headers=headers,
    )
