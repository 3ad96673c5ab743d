"""The id that a request has in every log line, answer and further request that it causes."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from coxswain.telemetry import logs

HEADER = "X-Request-Id"
_GOOD = re.compile(r"^[A-Za-z0-9._:-]{1,64}$")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The id of the request that this task works on; empty outside of one."""
    return _current.get()


def outgoing() -> dict[str, str]:
    """The header for a request that this one causes."""
    return {HEADER: current()} if current() else {}


@contextmanager
def bound(given: str | None) -> Iterator[str]:
    """Work under the caller's id if it has a good one, else under a new one."""
    request_id = given if given is not None and _GOOD.match(given) else uuid.uuid4().hex
    token = _current.set(request_id)
    try:
        with logs.bound(request_id=request_id):
            yield request_id
    finally:
        _current.reset(token)
