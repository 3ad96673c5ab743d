"""Refusals of the API server as errors of ours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from coxswain.errors import (
    ConflictError,
    CoxswainError,
    ForbiddenError,
    NotFoundError,
    TransientError,
    UnavailableError,
    UserError,
)

ALREADY_EXISTS = "already_exists"
QUOTA_EXCEEDED = "quota_exceeded"
NAMESPACE_TERMINATING = "namespace_terminating"
GONE = "gone"


def error(
    method: str, path: str, status: int, body: bytes, headers: Mapping[str, str]
) -> CoxswainError:
    """The error that an answer of 400 or more stands for; its message names the call."""
    found = _status(body)
    message = f"{method} {path}: {status} {found.get('message', 'no message')}"
    reason = found.get("reason", "")
    match status:
        case 401:
            return UnavailableError(message, code="unauthorized")
        case 403:
            return ForbiddenError(message, code=_forbidden_code(str(found.get("message", ""))))
        case 404:
            return NotFoundError(message)
        case 409:
            return ConflictError(
                message, code=ALREADY_EXISTS if reason == "AlreadyExists" else "conflict"
            )
        case 410:
            return TransientError(message, code=GONE)
        case 429:
            return TransientError(
                message, code="throttled", retry_after_seconds=retry_after(headers)
            )
        case _ if status < 500:
            return UserError(message, field=_field(found))
        case _:
            return UnavailableError(message, retry_after_seconds=retry_after(headers))


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds to wait, from a number or from a date; None where nothing usable is said."""
    value = headers.get("Retry-After")
    if value is None:
        return None
    if value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def _status(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {"message": body[:200].decode(errors="replace")}
    return found if isinstance(found, dict) else {}


def _forbidden_code(message: str) -> str:
    if "exceeded quota" in message:
        return QUOTA_EXCEEDED
    if "is being terminated" in message:
        return NAMESPACE_TERMINATING
    return "forbidden"


def _field(found: dict[str, Any]) -> str | None:
    causes = (found.get("details") or {}).get("causes") or []
    return next((str(cause["field"]) for cause in causes if cause.get("field")), None)
