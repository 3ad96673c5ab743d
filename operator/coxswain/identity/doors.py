"""Decides at every route who may come in, by the bearer token of the request and the table of permissions."""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from aiohttp import web

from coxswain.errors import ForbiddenError, UnauthenticatedError
from coxswain.identity import users
from coxswain.identity.callers import AgentCaller, PodCaller, UserCaller
from coxswain.identity.runs_of_pods import RunsOfPods
from coxswain.identity.tokens import Verifier
from coxswain.identity.users import Finder, User
from coxswain.rules.permissions import Permission
from coxswain.telemetry import metrics
from coxswain.web import reading
from coxswain.web.routes import CALLER

C = TypeVar("C")
MISSING = "token_missing"
WRONG_CALLER = "wrong_caller"


class Doors:
    """The gate of our servers; see ``coxswain.web.routes.Gate``."""

    def __init__(
        self, verifier: Verifier, runs: RunsOfPods, finders: Sequence[Finder] = ()
    ) -> None:
        """``finders`` are the ways in for people and machines, asked in their order before pods."""
        self._verifier = verifier
        self._runs = runs
        self._finders = finders

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        """The caller, if the token makes it one of this kind and it may do that there.

        Raises UnauthenticatedError, ForbiddenError wrong_caller or not_permitted, or UserError where
        the path names no workspace.
        """
        found = await self._known(lambda: _bearer(request), wants_run=kind is AgentCaller)
        # Also of one who may not do this: a denial is told with a name.
        request[CALLER] = found
        if not isinstance(found, User):
            return _of_kind(found, kind)
        if kind is not UserCaller:
            raise _wrong(kind)
        return cast("C", await users.admitted(found, permission, reading.workspace(request)))

    async def admit_agent(self, token: Callable[[], str]) -> AgentCaller:
        """An agent whose token came in some other way; ``token`` reads it or refuses."""
        return _of_kind(await self._known(token, wants_run=True), AgentCaller)

    async def check(self, request: web.Request) -> PodCaller | AgentCaller | User:
        """Whose token it is. Raises UnauthenticatedError unless it is anybody's whom we know."""
        return await self._known(lambda: _bearer(request), wants_run=False)

    async def _known(
        self, token: Callable[[], str], *, wants_run: bool
    ) -> PodCaller | AgentCaller | User:
        try:
            return await self._caller(token(), wants_run=wants_run)
        except UnauthenticatedError as error:
            metrics.TOKEN_REFUSALS.labels(code=error.code).inc()
            raise

    async def _caller(self, token: str, *, wants_run: bool) -> PodCaller | AgentCaller | User:
        user = await users.find(self._finders, token)
        if user is not None:
            return user
        pod = await self._verifier.pod(token)
        if not wants_run:
            return PodCaller(pod)
        return AgentCaller(pod, await self._runs.run(pod.uid))


def _of_kind(found: object, kind: type[C]) -> C:
    if not isinstance(found, kind):
        raise _wrong(kind)
    return found


def _wrong(kind: type[object]) -> ForbiddenError:
    wanted = "people and machines" if kind is UserCaller else "agent pods"
    return ForbiddenError(f"this route is for {wanted}", code=WRONG_CALLER)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or not token.isascii():
        raise UnauthenticatedError("send Authorization: Bearer with a token", code=MISSING)
    return token.strip()
