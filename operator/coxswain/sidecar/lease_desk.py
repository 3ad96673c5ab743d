"""Where requests for leases come together: those that come at once go to Postgres at once.

One transaction takes, renews or frees the leases of many requests; each gets its own answer.
"""

from collections.abc import Sequence

from coxswain.api.records import Lease
from coxswain.errors import CoxswainError
from coxswain.reconcile.batches import Batches
from coxswain.store.leases import holding
from coxswain.store.leases.holding import Holding, Refused, Wanted
from coxswain.store.pool import Store

BATCH = 100
Release = tuple[Holding, str]
Answer = Lease | CoxswainError


class LeaseDesk:
    """One per process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taking: Batches[Wanted, Lease | Refused] = Batches(self._take, BATCH)
        self._renewing: Batches[Holding, Answer] = Batches(self._renew, BATCH)
        self._freeing: Batches[Release, Answer] = Batches(self._free, BATCH)

    async def acquire(self, wanted: Wanted) -> Lease | Refused:
        """Take a lease, or stand in its line."""
        return await self._taking.ask(wanted)

    async def renew(self, wanted: Holding) -> Answer:
        """Renew a lease, or say why not."""
        return await self._renewing.ask(wanted)

    async def release(self, wanted: Holding, actor: str) -> Answer:
        """Let go of a lease, or say why not."""
        return await self._freeing.ask((wanted, actor))

    async def _take(self, batch: Sequence[Wanted]) -> list[Lease | Refused]:
        return await self._store.transact(holding.acquire_all, batch)

    async def _renew(self, batch: Sequence[Holding]) -> list[Answer]:
        return await self._store.transact(holding.renew, batch)

    async def _free(self, batch: Sequence[Release]) -> list[Answer]:
        return await self._store.transact(holding.release_all, batch)
