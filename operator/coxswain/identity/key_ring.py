"""Public keys of somebody who signs tokens, as current as the issuer lets us know.

An unknown key id causes one fetch per 10 s at most; what was fetched stays good while the issuer is away.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Literal, Protocol

import jwt

from coxswain.errors import CoxswainError, UnauthenticatedError, UnavailableError
from coxswain.store.keys import IssuerKeys
from coxswain.telemetry import logs, metrics

log = logs.get(__name__)

FETCH_SECONDS = 10.0
REFRESH_SECONDS = 300.0
NOT_YET = "keys_unavailable"
IssuerKind = Literal["cluster", "oidc"]


class Source(Protocol):
    """Where keys come from."""

    async def fetch(self) -> IssuerKeys:
        """What the issuer publishes now. Raises errors of ours."""
        ...


class Shelf(Protocol):
    """Where keys are kept for others and for later."""

    async def keep(self, found: IssuerKeys) -> None:
        """Keep what was fetched; where that cannot be, say so in the log."""
        ...

    async def recall(self) -> IssuerKeys | None:
        """What was kept last, or None."""
        ...


class KeyRing:
    """Issuer and keys. ``whose`` names the issuer for people, ``issuer_kind`` in metrics."""

    def __init__(
        self,
        source: Source,
        shelf: Shelf,
        whose: str,
        issuer_kind: IssuerKind,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._shelf = shelf
        self._whose = whose
        self._issuer_kind = issuer_kind
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

        Raises UnauthenticatedError if the issuer has none such, UnavailableError if it is not
        known because the issuer is away.
        """
        if key_id not in self._keys:
            await self._refresh_once(key_id)
        found = self._keys.get(key_id)
        if found is not None:
            return found
        if self._is_current:
            raise UnauthenticatedError(f"no key of {self._whose} signed the token")
        raise UnavailableError(f"the keys of {self._whose} cannot be read now", code=NOT_YET)

    async def run(self) -> None:
        """Keep up with the issuer until cancelled: it may also take keys back."""
        while True:
            self._tried_at = None
            await self._refresh_once()
            await asyncio.sleep(REFRESH_SECONDS if self._is_current else FETCH_SECONDS)

    async def check(self) -> None:
        """Raise UnavailableError while no key is known: nobody can be let in."""
        if not self._keys:
            raise UnavailableError(f"no token key of {self._whose} is known yet", code=NOT_YET)

    async def _refresh_once(self, wanted: str | None = None) -> None:
        async with self._lock:
            # Who waited here may have what they came for, or know that it cannot be had now.
            if wanted in self._keys:
                return
            now = self._clock()
            if self._tried_at is not None and now - self._tried_at < FETCH_SECONDS:
                return
            try:
                await self._refresh()
            finally:
                self._tried_at = self._clock()

    async def _refresh(self) -> None:
        try:
            found = await self._source.fetch()
        except CoxswainError as error:
            metrics.KEY_FETCHES.labels(self._issuer_kind, "failed").inc()
            log.warning(
                "token keys cannot be read", of=self._whose, code=error.code, reason=error.message
            )
            self._is_current = False
            kept = await self._shelf.recall()
            if kept is not None:
                self._take(kept)
            return
        metrics.KEY_FETCHES.labels(self._issuer_kind, "ok").inc()
        self._is_current = True
        self._take(found)
        await self._shelf.keep(found)

    def _take(self, found: IssuerKeys) -> None:
        self._issuer = found.issuer
        self._keys = {}
        for key_id, jwk in found.keys.items():
            try:
                self._keys[key_id] = jwt.PyJWK.from_dict(jwk)
            except jwt.PyJWTError:
                log.warning("a token key is of a sort that we cannot use", key_id=key_id)
