"""Decides at every route who may come in, by the bearer token of the request."""

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from coxswain.errors import ForbiddenError, UnauthenticatedError
from coxswain.identity.callers import AgentCaller, PodCaller, UserCaller
from coxswain.identity.local_token import LocalToken
from coxswain.identity.runs_of_pods import RunsOfPods
from coxswain.identity.tokens import Verifier
from coxswain.telemetry import metrics

C = TypeVar("C")
MISSING = "token_missing"
WRONG_CALLER = "wrong_caller"
LOCAL_USER = "local"


class Doors:
    """The gate of our servers; see ``coxswain.web.routes.Gate``."""

    def __init__(self, verifier: Verifier, runs: RunsOfPods, local: LocalToken) -> None:
        self._verifier = verifier
        self._runs = runs
        self._local = local

    async def admit(self, request: web.Request, kind: type[C]) -> C:
        """The caller, if the token makes it one of this kind.

        Raises UnauthenticatedError, or ForbiddenError wrong_caller if it is of another kind.
        """
        return await self.admit_token(lambda: _bearer(request), kind)

    async def admit_token(self, token: Callable[[], str], kind: type[C]) -> C:
        """The same for a token that came in some other way; ``token`` reads it or refuses."""
        try:
            caller = await self._caller(token(), wants_run=kind is AgentCaller)
        except UnauthenticatedError as error:
            metrics.TOKEN_REFUSALS.labels(code=error.code).inc()
            raise
        if not isinstance(caller, kind):
            wanted = "people" if kind is UserCaller else "agent pods"
            raise ForbiddenError(f"this route is for {wanted}", code=WRONG_CALLER)
        return caller

    async def check(self, request: web.Request) -> None:
        """Raise UnauthenticatedError unless the token is anybody's whom we know."""
        await self.admit(request, object)

    async def _caller(self, token: str, *, wants_run: bool) -> PodCaller | AgentCaller | UserCaller:
        if self._local.matches(token):
            return UserCaller(LOCAL_USER)
        pod = await self._verifier.pod(token)
        if not wants_run:
            return PodCaller(pod)
        return AgentCaller(pod, await self._runs.run(pod.uid))


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or not token.isascii():
        raise UnauthenticatedError("send Authorization: Bearer with a token", code=MISSING)
    return token.strip()
