"""Refusals of the API server, as errors that say who can mend them."""

from datetime import UTC, datetime

import orjson
import pytest

from coxswain.errors import (
    ConflictError,
    CoxswainError,
    ForbiddenError,
    NotFoundError,
    TransientError,
    UnavailableError,
    UserError,
)
from coxswain.kube import answers

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def _status(message: str = "no", **more: object) -> bytes:
    return orjson.dumps({"kind": "Status", "message": message, **more})


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, _status(), UserError, "invalid"),
        (401, _status(), UnavailableError, "unauthorized"),
        (403, _status("pods is forbidden"), ForbiddenError, "forbidden"),
        (403, _status("exceeded quota: q"), ForbiddenError, answers.QUOTA_EXCEEDED),
        (403, _status("x is being terminated"), ForbiddenError, answers.NAMESPACE_TERMINATING),
        (404, _status(), NotFoundError, "not_found"),
        (409, _status(reason="AlreadyExists"), ConflictError, answers.ALREADY_EXISTS),
        (409, _status(reason="Conflict"), ConflictError, "conflict"),
        (410, _status(), TransientError, answers.GONE),
        (422, _status(), UserError, "invalid"),
        (429, _status(), TransientError, "throttled"),
        (500, b"<html>", UnavailableError, "unavailable"),
        (503, b"", UnavailableError, "unavailable"),
    ],
)
def test_an_answer_is_an_error_of_ours(
    status: int, body: bytes, kind: type[CoxswainError], code: str
) -> None:
    error = answers.error("POST", "/x", status, body, {})
    assert type(error) is kind
    assert error.code == code
    assert error.message.startswith(f"POST /x: {status} ")


def test_the_field_that_is_wrong_is_named() -> None:
    body = _status(details={"causes": [{"field": "spec.title"}]})
    assert answers.error("POST", "/x", 422, body, {}).field == "spec.title"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Sat, 21 Nov 2026 03:00:09 GMT", 9.0),
        ("Sat, 21 Nov 2026 03:00:09 -0000", 9.0),
        ("Sat, 21 Nov 2026 02:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_how_long_to_wait_is_read_from_a_number_or_a_date(
    value: str, seconds: float | None
) -> None:
    assert answers.retry_after({"Retry-After": value}, now=NOW) == seconds


def test_a_throttled_call_knows_how_long_to_wait() -> None:
    error = answers.error("GET", "/x", 429, _status(), {"Retry-After": "3"})
    assert isinstance(error, TransientError)
    assert error.retry_after_seconds == 3
