"""People by their Kubernetes identity: the API server says who they are and what they may do.

Both answers are remembered for REMEMBER_SECONDS, refusals too, and what many ask at once is asked once, so that
a burst costs it little; a token or right that was taken away opens nothing after that. Anybody can send
tokens that were never seen: of those few are looked at at once.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from coxswain import names
from coxswain.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from coxswain.identity import decoding
from coxswain.identity.asking import Few, Remembered
from coxswain.identity.people import checked_name
from coxswain.identity.users import User
from coxswain.kube import paths
from coxswain.rules.permissions import Permission, Role

REMEMBER_SECONDS = 5.0
REMEMBER = 10_000
TOKENS_AT_ONCE = 20
TOKENS_WAITING = 500
RIGHTS_AT_ONCE = 50
REFUSED = "token_invalid"
NOT_ASKED = "reviews_forbidden"
CORE_RESOURCES = frozenset({"configmaps"})
Body = dict[str, Any]


class Cluster(Protocol):
    """The one call that we need of the API server."""

    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        """Ask for a review. Raises errors of ours."""
        ...


class Reviews:
    """Asks the API server about tokens and rights."""

    def __init__(
        self,
        cluster: Cluster,
        workspaces: Collection[str],
        *,
        installation: str,
        audience: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``workspaces`` are those that were onboarded, through which lists over all go.

        An empty audience is the API server's own.
        """
        self._cluster = cluster
        self._workspaces = frozenset(workspaces)
        self._of_pods = names.audience(installation)
        self._audience = audience
        self._people: Remembered[Body | None] = Remembered(REMEMBER_SECONDS, REMEMBER, clock)
        self._rights: Remembered[bool] = Remembered(REMEMBER_SECONDS, REMEMBER, clock)
        self._tokens = Few(TOKENS_AT_ONCE, TOKENS_WAITING)
        self._turns = asyncio.Semaphore(RIGHTS_AT_ONCE)

    async def find(self, token: str) -> User | None:
        """The person; None for the token of an agent's pod. Raises UnauthenticatedError."""
        said = (decoding.unverified(token) or {}).get("aud")
        if self._of_pods in (said if isinstance(said, list) else [said]):
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        found = await self._people.ask(digest, lambda: self._review(token))
        if found is None:
            raise UnauthenticatedError("the cluster does not know this token", code=REFUSED)
        name = checked_name(found.get("username"), "the cluster's username")
        return User(name, _OfCluster(self, found))

    async def may(self, who: Body, permission: Permission, workspace: str | None) -> bool:
        """Whether somebody has the right in a workspace, or with None in all of them."""
        verb, resource = permission.right.split()
        wanted = {
            "verb": verb,
            "resource": resource,
            "group": "" if resource in CORE_RESOURCES else names.GROUP,
            "namespace": workspace or "",
        }
        spec = {
            "user": who.get("username"),
            "uid": who.get("uid", ""),
            "groups": who.get("groups", []),
            "extra": who.get("extra", {}),
            "resourceAttributes": wanted,
        }
        return await self._rights.ask(json.dumps(spec), lambda: self._allowed(spec))

    async def within(self, who: Body, permission: Permission) -> frozenset[str]:
        """The workspaces in which somebody has the right."""
        known = sorted(self._workspaces)
        answers = await asyncio.gather(*(self.may(who, permission, each) for each in known))
        return frozenset(each for each, is_theirs in zip(known, answers, strict=True) if is_theirs)

    async def _review(self, token: str) -> Body | None:
        audiences = [self._audience] if self._audience else []
        spec = {"token": token, "audiences": audiences}
        async with self._tokens.turn():
            status = await self._ask(paths.TOKEN_REVIEWS, "TokenReview", "authentication", spec)
        # An authenticator that knows no audiences says nothing of them: then it was not for us.
        if not status.get("authenticated") or not set(audiences) <= set(
            status.get("audiences") or []
        ):
            return None
        user: Body = status.get("user") or {}
        return user

    async def _allowed(self, spec: Body) -> bool:
        kind = "SubjectAccessReview"
        async with self._turns:
            status = await self._ask(paths.ACCESS_REVIEWS, kind, "authorization", spec)
        return status.get("allowed") is True

    async def _ask(self, path: str, kind: str, group: str, spec: Body) -> Body:
        body = {"apiVersion": f"{group}.k8s.io/v1", "kind": kind, "metadata": {}, "spec": spec}
        try:
            answer = await self._cluster.create(path, body)
        except ForbiddenError as error:
            text = f"this API may not ask for a {kind}; set people.mode in the chart"
            raise UnavailableError(text, code=NOT_ASKED) from error
        found: Body = answer.get("status") or {}
        return found


@dataclass(frozen=True)
class _OfCluster:
    """Rights that Kubernetes gives: with kubectl their owner could do the same, whoever made the object."""

    reviews: Reviews
    who: Body

    async def role_for(self, permission: Permission, workspace: str | None) -> Role | None:
        is_theirs = await self.reviews.may(self.who, permission, workspace)
        return Role.ADMIN if is_theirs else None

    async def workspaces_for(self, permission: Permission) -> frozenset[str] | None:
        if await self.reviews.may(self.who, permission, None):
            return None
        return await self.reviews.within(self.who, permission)
