"""What can go wrong at a client: one class per meaning, and each says whether the same again may help.

ClientError
+-- RefusedError             it was understood, and nothing was done
|   +-- MalformedError           400  not readable, or a position that is not known
|   +-- UnauthenticatedError     401
|   +-- ForbiddenError           403
|   +-- NotFoundError            404
|   +-- ConflictError            409  code says with what
|   |   +-- LeaseLostError           the lease is not this holder's any more
|   +-- ChangedError             412  it is not what was seen
|   +-- TooLargeError            413
|   +-- UnsupportedTypeError     415
|   +-- InvalidError             422  field says where
|   +-- RateLimitedError         429
+-- FailedError              whether anything was done is not known
|   +-- ServerError              500
|   +-- UnavailableError         502, 503, 504
|   +-- LostAnswerError          it was sent, and no whole answer came back
+-- UnreachableError         nobody was reached, so nothing was done
+-- UnreadableError          the answer is none of this API
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from coxswain.api.retry_policy import told_seconds
from coxswain.errors import CoxswainError

SHOWN_CHARACTERS = 200


class Again(Enum):
    """Whether the same call may be made again by itself."""

    NEVER = "never"
    IF_HARMLESS = "if a repeat does nothing a second time"
    ALWAYS = "always"


class ClientError(CoxswainError):
    """Anything that a call can end with; ``code`` is the API's word, or one of ours."""

    code = "client"
    again = Again.NEVER
    status: int | None = None
    """The HTTP status, where there was an answer."""
    request_id: str | None = None
    """Leads to the platform's log lines."""
    retry_after: float | None = None
    """Seconds that the platform asked to wait."""


class RefusedError(ClientError):
    """It was understood, and nothing was done."""

    code = "refused"


class MalformedError(RefusedError):
    """The platform cannot read it, or does not know the position."""


class UnauthenticatedError(RefusedError):
    """The platform does not know who is calling."""


class ForbiddenError(RefusedError):
    """The caller may not do that."""


class NotFoundError(RefusedError):
    """It is not there."""


class ConflictError(RefusedError):
    """It does not go with what is there; ``code`` says with what."""


class LeaseLostError(ConflictError):
    """The lease is not this holder's any more: whatever it guards must be left alone."""

    code = "lease_lost"


class ChangedError(RefusedError):
    """It changed meanwhile: look again."""


class TooLargeError(RefusedError):
    """It is larger than the platform takes."""


class UnsupportedTypeError(RefusedError):
    """The platform does not take this content type."""


class InvalidError(RefusedError):
    """Something in it is wrong; ``field`` says where."""


class RateLimitedError(RefusedError):
    """Too many calls; ``retry_after`` says how long to wait."""

    again = Again.ALWAYS


class FailedError(ClientError):
    """Whether anything was done is not known."""

    code = "failed"
    again = Again.IF_HARMLESS


class ServerError(FailedError):
    """The platform has a fault; ``request_id`` leads to its log."""


class UnavailableError(FailedError):
    """The platform, or what it needs, does not answer now."""


class LostAnswerError(FailedError):
    """It was sent, and no whole answer came back."""

    code = "lost_answer"


class UnreachableError(ClientError):
    """Nobody was reached, so nothing was done."""

    code = "unreachable"
    again = Again.ALWAYS


class UnreadableError(ClientError):
    """The answer is none of this API: is the address right, is a proxy in between?"""

    code = "unreadable"


LOST_LEASE = frozenset({"lease_lost", "lease_expired", "lease_not_held", "lease_token_unknown"})
_BY_STATUS: dict[int, type[ClientError]] = {
    400: MalformedError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    412: ChangedError,
    413: TooLargeError,
    415: UnsupportedTypeError,
    422: InvalidError,
    429: RateLimitedError,
    500: ServerError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


@dataclass(frozen=True)
class Reply:
    """An answer, whole. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def of(reply: Reply) -> ClientError:
    """The error that a refusal stands for, also where a proxy wrote it."""
    problem = _problem(reply.content)
    code = _text(problem, "code")
    kind = _kind(reply.status, code)
    message = _text(problem, "message") or _shown(reply)
    error = kind(message, code=code, field=_text(problem, "field"))
    error.status = reply.status
    error.request_id = _text(problem, "requestId") or reply.headers.get("x-request-id")
    error.retry_after = told_seconds(reply.headers.get("retry-after"))
    return error


def _kind(status: int, code: str | None) -> type[ClientError]:
    if code in LOST_LEASE:
        return LeaseLostError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError
    return RefusedError if 400 <= status < 500 else UnreadableError


def _problem(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(problem: Mapping[str, Any], name: str) -> str | None:
    found = problem.get(name)
    return found if isinstance(found, str) else None


def _shown(reply: Reply) -> str:
    text = reply.content.decode(errors="replace").strip()[:SHOWN_CHARACTERS]
    return f"the answer is {reply.status} {text}".strip()
