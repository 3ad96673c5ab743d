"""The one place where a server's acts and refusals come by on their way into the audit log.

``routes`` sends every request that may change something through ``Recorder.keep``: a new route cannot
forget it, it can only say how (``Kept``). ``denials`` sends every denial, of any route, through
``Recorder.denied``. Who records is put into the application: ``app[RECORDER]``.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from aiohttp import web

from coxswain.api.meta import is_workspace
from coxswain.errors import ForbiddenError, UnauthenticatedError

T = TypeVar("T")
CALLER: web.RequestKey[object] = web.RequestKey("caller", object)
ROUTE: web.RequestKey[str] = web.RequestKey("route", str)
ACTION: web.RequestKey[str] = web.RequestKey("action", str)
KEPT: web.RequestKey[bool] = web.RequestKey("kept", bool)
READING = frozenset({"GET", "HEAD", "OPTIONS"})
NO_ROUTE = "none"
_WORKSPACE = "workspace"
_NAME = re.compile(r"[-._a-zA-Z0-9]{1,253}")


class Kept(Enum):
    """How a request that may change something comes into the log."""

    AROUND = "around"
    """A row before anything is done and one after it: for what changes the cluster, or more than one place.
    What is refused before anything is done has one row."""
    WITH = "with"
    """One row, in the first transaction of the handler: for what one transaction changes."""
    ELSEWHERE = "elsewhere"
    """By events that have rows of their own; or it only keeps alive what is there."""


@dataclass(frozen=True)
class Act:
    """A request that was let in and understood."""

    action: str
    """Name of its handler."""
    path: str
    """The route's path, as it was registered."""
    kept: Kept
    caller: object
    given: Mapping[str, object]
    """What the handler gets beside caller and request: path, query, body, content."""


@dataclass(frozen=True)
class Refusal:
    """A request that was not let in."""

    action: str
    """Name of the handler that it was for; NO_ROUTE where there is none."""
    path: str
    """The route's path, as it was registered; or NO_ROUTE."""
    place: Mapping[str, str]
    """The variable parts of the path, but for those that nothing can be called."""
    caller: object | None
    """None is somebody whom we do not know."""
    code: str


class Recorder(Protocol):
    """Writes the audit log of a server."""

    async def keep(self, act: Act, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work and record what came of it. Raises what the work raises."""
        ...

    async def denied(self, refusal: Refusal) -> None:
        """Record that somebody was refused."""
        ...


class Unrecorded:
    """For servers whose requests change nothing that people own."""

    async def keep(self, act: Act, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work."""
        return await work()

    async def denied(self, refusal: Refusal) -> None:
        """Do nothing."""


RECORDER: web.AppKey[Recorder] = web.AppKey("recorder", Recorder)
NOBODY = Unrecorded()


def recorder(request: web.Request) -> Recorder:
    """The recorder of the request's server: whatever its process has put into the application."""
    return request.app.get(RECORDER, NOBODY)


async def denied(request: web.Request, error: ForbiddenError | UnauthenticatedError) -> None:
    """Have a denial recorded, unless the act itself tells of it."""
    if request.get(KEPT):
        return
    refusal = Refusal(
        action=request.get(ACTION, NO_ROUTE),
        path=request.get(ROUTE, NO_ROUTE),
        place=place(request),
        caller=request.get(CALLER) if isinstance(error, ForbiddenError) else None,
        code=error.code,
    )
    await recorder(request).denied(refusal)


def place(request: web.Request) -> dict[str, str]:
    """The variable parts of a path that nobody has checked, but for those that nothing can be called."""
    return {
        part: text
        for part, text in request.match_info.items()
        if _NAME.fullmatch(text) and (part != _WORKSPACE or is_workspace(text))
    }
