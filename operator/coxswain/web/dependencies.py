"""The dependencies that several processes share, by one name each.

postgres      the database answers, and takes writes
schema        it has the schema of this program
queue         what is told in the database comes back on this process's listening connection
kubernetes    the API server answers, and knows our account
permissions   that account may do what the process cannot do without
token_keys    the keys that sign tokens of pods are known
"""

from collections.abc import Sequence
from typing import Any, Protocol

from coxswain.kube import access
from coxswain.kube.access import Asks, Right
from coxswain.store import schema
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.web.readiness import Dependency

POSTGRES, SCHEMA, QUEUE = "postgres", "schema", "queue"
KUBERNETES, PERMISSIONS, TOKEN_KEYS = "kubernetes", "permissions", "token_keys"
VERSION_PATH = "/version"


class Reads(Protocol):
    """The one call that we need of the API server."""

    async def get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        """Read a JSON document. Raises errors of ours."""
        ...


class Checks(Protocol):
    """Something that knows whether it is as it should be."""

    async def check(self) -> None:
        """Raise an error of ours unless it is."""
        ...


def of_store(store: Store, listener: Listener, *, is_needed: bool) -> tuple[Dependency, ...]:
    """Postgres, its schema, and its notifications: without these all goes on, and later."""
    return (
        Dependency(POSTGRES, store.ping, is_needed),
        Dependency(SCHEMA, lambda: store.run(schema.require), is_needed, after=POSTGRES),
        Dependency(QUEUE, lambda: listener.check(store), is_needed=False, after=POSTGRES),
    )


def of_cluster(cluster: Reads, *, is_needed: bool) -> Dependency:
    """The API server."""

    async def answers() -> None:
        await cluster.get(VERSION_PATH)

    return Dependency(KUBERNETES, answers, is_needed)


def of_keys(keys: Checks) -> Dependency:
    """The keys of the cluster; once they are known the API server may be away."""
    return Dependency(TOKEN_KEYS, keys.check, is_needed=False, after=KUBERNETES)


def of_rights(cluster: Asks, rights: Sequence[Right]) -> Dependency:
    """What our account may do everywhere. A right that lacks in one workspace is told of there."""
    return Dependency(
        PERMISSIONS, lambda: access.require(cluster, rights), is_needed=False, after=KUBERNETES
    )
