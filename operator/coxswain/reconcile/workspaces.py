"""Whether a workspace is onboarded: the operator makes none of what it needs, it looks.

The answer is kept for a while, so a pass costs no call; a missing part is named with the command
that mends it.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen
from coxswain.errors import ForbiddenError, NotFoundError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.once import Kept

GOOD_SECONDS = 60.0
BAD_SECONDS = 5.0
ENFORCE = "pod-security.kubernetes.io/enforce"


class Part(NamedTuple):
    """Something that must stand in a workspace before the first pod."""

    plural: str
    name: str


READ = (
    Part("serviceaccounts", names.AGENT_SERVICE_ACCOUNT),
    Part("networkpolicies", names.NETWORK_POLICY),
)
WATCHED = (names.POD_QUOTA, names.STORAGE_QUOTA)


class Workspaces:
    """Onboarded or not, by namespace."""

    def __init__(
        self,
        client: Client,
        cache: Cache,
        installation: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._cache = cache
        self._installation = installation
        self._kept = Kept(self._look, _seconds, clock)

    async def condition(self, namespace: str) -> Seen:
        """The condition SandboxReady of a workspace."""
        return await self._kept.get(namespace)

    def forget(self, namespace: str) -> None:
        """Something of the workspace has changed: look again."""
        self._kept.forget(namespace)

    async def _look(self, namespace: str) -> Seen:
        for name in WATCHED:
            if self._cache.named("ResourceQuota", namespace, name) is None:
                return self._missing(namespace, Part("resourcequotas", name))
        for part in READ:
            try:
                await self._client.get(paths.of(part.plural, namespace, part.name))
            except (NotFoundError, ForbiddenError):
                return self._missing(namespace, part)
        return await self._pod_security(namespace)

    def _missing(self, namespace: str, part: Part) -> Seen:
        text = (
            f"{part.plural} {part.name} is not in {namespace} or cannot be read: onboard the"
            f" workspace with helm upgrade --reuse-values --set 'workspaces[0].name={namespace}'"
            f" (installation {self._installation})"
        )
        return Seen(ConditionType.SANDBOX_READY, "False", "WorkspaceNotOnboarded", text)

    async def _pod_security(self, namespace: str) -> Seen:
        try:
            found = await self._client.get(paths.of("namespaces", None, namespace))
        except (NotFoundError, ForbiddenError) as error:
            return Seen(ConditionType.SANDBOX_READY, "False", "NamespaceUnreadable", error.message)
        level = (found["metadata"].get("labels") or {}).get(ENFORCE)
        if level == "restricted":
            return Seen(ConditionType.SANDBOX_READY, "True", "Ready")
        text = (
            f"namespace {namespace} does not enforce Pod Security restricted: kubectl label"
            f" namespace {namespace} {ENFORCE}=restricted"
        )
        return Seen(ConditionType.SANDBOX_READY, "False", "PodSecurityNotRestricted", text)


def _seconds(seen: Seen) -> float:
    return GOOD_SECONDS if seen.status == "True" else BAD_SECONDS
