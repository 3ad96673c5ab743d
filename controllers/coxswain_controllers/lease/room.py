"""The Lease's room as the loop sees it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from coxswain.api.event_types.lease import LEASE_CREATED, LEASE_DELETED
from coxswain.api.kind import Lease, Metadata
from coxswain.errors import CoxswainError
from coxswain.reconcile import telling
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.store.events import Event
from coxswain_controllers.lease import decide, observe
from coxswain_controllers.lease.snapshot import LeaseSnapshot


class LeaseRoom:
    """Observe, decide and record Leases."""

    kind = observe.KIND
    plural = "leases"

    def __init__(self, world: World) -> None:
        self._world = world

    def listed(self, items: Iterable[Raw]) -> None:
        """Lines for leases stand in the records."""

    async def observe(self, key: Key) -> LeaseSnapshot | None:
        """Collect the snapshot of a Lease."""
        return await observe.observe(self._world, key)

    def decide(self, snapshot: LeaseSnapshot, now: datetime) -> Decision:
        """Decide what to do about it."""
        return decide.decide(snapshot, now)

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        """Show the operation that keeps failing."""
        return telling.keeps_failing(raw, Lease.status_of(raw), error, now)

    def written(self, before: Raw, raw: Raw) -> None:
        """Those who wait are woken by the records."""

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """Its beginning and its end; who held it is told with each hand-over itself."""
        metadata = Metadata.parse(raw)
        made = telling.created(LEASE_CREATED, metadata)
        return (made, telling.deleted(LEASE_DELETED, metadata)) if is_gone else (made,)
