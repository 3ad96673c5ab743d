"""The keys that sign the tokens of this cluster.

Fetched with our own account, kept in memory and in Postgres. An unknown key id causes one fetch per
10 s at most; what was fetched stays good while the API server is away.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import jwt

from coxswain.errors import CoxswainError, TransientError, UnauthenticatedError, UnavailableError
from coxswain.store import keys
from coxswain.store.keys import IssuerKeys
from coxswain.store.pool import Store
from coxswain.telemetry import logs, metrics

log = logs.get(__name__)

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/openid/v1/jwks"
FETCH_SECONDS = 10.0
REFRESH_SECONDS = 300.0
NOT_YET = "keys_unavailable"


class Cluster(Protocol):
    """The one call that we need of the API server."""

    async def get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        """Read a JSON document. Raises errors of ours."""
        ...


class Keys:
    """Issuer and keys, as current as the API server lets us know."""

    def __init__(
        self, cluster: Cluster, store: Store, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._clock = clock
        self._lock = asyncio.Lock()
        self._tried_at: float | None = None
        self._is_current = False
        self._issuer = ""
        self._keys: dict[str, jwt.PyJWK] = {}

    @property
    def issuer(self) -> str:
        """Who signs; empty before the first fetch."""
        return self._issuer

    async def key(self, key_id: str) -> jwt.PyJWK:
        """The key of this id.

        Raises UnauthenticatedError if the cluster has none such, UnavailableError if it is not
        known because the API server is away.
        """
        if key_id not in self._keys:
            await self._refresh_once()
        found = self._keys.get(key_id)
        if found is not None:
            return found
        if self._is_current:
            raise UnauthenticatedError("no key of this cluster signed the token")
        raise UnavailableError("the cluster's keys cannot be read now", code=NOT_YET)

    async def run(self) -> None:
        """Keep up with the cluster until cancelled: it may also take keys back."""
        while True:
            self._tried_at = None
            await self._refresh_once()
            await asyncio.sleep(REFRESH_SECONDS if self._is_current else FETCH_SECONDS)

    async def check(self) -> None:
        """Raise UnavailableError while no key is known: nobody can be let in."""
        if not self._keys:
            raise UnavailableError("no token key of the cluster is known yet", code=NOT_YET)

    async def _refresh_once(self) -> None:
        async with self._lock:
            now = self._clock()
            if self._tried_at is not None and now - self._tried_at < FETCH_SECONDS:
                return
            self._tried_at = now
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            found = await self._fetch()
        except CoxswainError as error:
            metrics.KEY_FETCHES.labels(outcome="failed").inc()
            log.warning("the cluster's keys cannot be read", code=error.code, reason=error.message)
            self._is_current = False
            await self._recall()
            return
        metrics.KEY_FETCHES.labels(outcome="ok").inc()
        self._is_current = True
        self._take(found)
        try:
            await self._store.transact(keys.replace, found)
        except TransientError as error:
            log.warning("the cluster's keys cannot be kept", reason=error.message)

    async def _fetch(self) -> IssuerKeys:
        configuration = await self._cluster.get(CONFIGURATION_PATH)
        published = await self._cluster.get(KEYS_PATH)
        found = {str(key["kid"]): key for key in published.get("keys", ()) if "kid" in key}
        issuer = str(configuration.get("issuer", ""))
        if not issuer or not found:
            raise UnavailableError("the cluster publishes no issuer or no keys")
        return IssuerKeys(issuer, found)

    async def _recall(self) -> None:
        """Fall back on what another replica, or we before, kept in Postgres."""
        try:
            kept = await self._store.run(keys.kept)
        except TransientError:
            return
        if kept is not None:
            self._take(kept)

    def _take(self, found: IssuerKeys) -> None:
        self._issuer = found.issuer
        self._keys = {}
        for key_id, jwk in found.keys.items():
            try:
                self._keys[key_id] = jwt.PyJWK.from_dict(jwk)
            except jwt.PyJWTError:
                log.warning("a key of the cluster is of a sort that we cannot use", key_id=key_id)
