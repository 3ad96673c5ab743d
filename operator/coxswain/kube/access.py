"""Whether our own account may do something: the API server itself is asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from typing_extensions import override

from coxswain.errors import ForbiddenError
from coxswain.kube import paths

Body = dict[str, Any]


class Asks(Protocol):
    """The one call that we need of the API server."""

    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        """Ask for a review. Raises errors of ours."""
        ...


@dataclass(frozen=True)
class Right:
    """A verb on a resource; no namespace means all, and no name any."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    @override
    def __str__(self) -> str:
        """In kubectl's words."""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}{where}"


async def require(cluster: Asks, rights: Sequence[Right]) -> None:
    """Raise ForbiddenError that names each right that our account lacks."""
    allowed = await asyncio.gather(*(_has(cluster, right) for right in rights))
    lacking = [str(right) for right, may in zip(rights, allowed, strict=True) if not may]
    if lacking:
        raise ForbiddenError(f"our account may not {', '.join(lacking)}")


async def _has(cluster: Asks, right: Right) -> bool:
    asked = {
        "verb": right.verb,
        "resource": right.resource,
        "group": right.group,
        "namespace": right.namespace,
        "name": right.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = await cluster.create(paths.SELF_REVIEWS, review)
    return bool((answer.get("status") or {}).get("allowed"))
