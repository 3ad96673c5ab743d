"""The keys that sign the tokens of this cluster.

Fetched with our own account, kept in memory and in Postgres, so that they stay good while the API server
is away.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from coxswain.errors import TransientError, UnavailableError
from coxswain.identity.key_ring import FETCH_SECONDS as FETCH_SECONDS
from coxswain.identity.key_ring import KeyRing
from coxswain.store import keys
from coxswain.store.keys import IssuerKeys
from coxswain.store.pool import Store
from coxswain.telemetry import logs

log = logs.get(__name__)

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/openid/v1/jwks"


class Cluster(Protocol):
    """The one call that we need of the API server."""

    async def get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        """Read a JSON document. Raises errors of ours."""
        ...


class Keys(KeyRing):
    """Issuer and keys of the cluster."""

    def __init__(
        self, cluster: Cluster, store: Store, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(_Published(cluster), _Kept(store), "this cluster", "cluster", clock)


class _Published:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def fetch(self) -> IssuerKeys:
        configuration = await self._cluster.get(CONFIGURATION_PATH)
        published = await self._cluster.get(KEYS_PATH)
        found = {str(key["kid"]): key for key in published.get("keys", ()) if "kid" in key}
        issuer = str(configuration.get("issuer", ""))
        if not issuer or not found:
            raise UnavailableError("the cluster publishes no issuer or no keys")
        return IssuerKeys(issuer, found)


class _Kept:
    """What another replica, or we before, kept in Postgres."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, found: IssuerKeys) -> None:
        try:
            await self._store.transact(keys.replace, found)
        except TransientError as error:
            log.warning("the cluster's keys cannot be kept", reason=error.message)

    async def recall(self) -> IssuerKeys | None:
        try:
            return await self._store.run(keys.kept)
        except TransientError:
            return None
