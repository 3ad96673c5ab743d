"""The Lease's room as the loop sees it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from coxswain.api.conditions import RETRYING_AFTER_ERROR, ConditionType, Seen, with_one
from coxswain.api.kind import Lease, Metadata
from coxswain.errors import CoxswainError
from coxswain.reconcile import instants
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.store import events
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
        status = Lease.status_of(raw)
        seen = Seen(ConditionType.RECONCILING, "True", RETRYING_AFTER_ERROR, error.message)
        generation, at = Metadata.parse(raw).generation, instants.text(now)
        changed = with_one(status.conditions, seen, generation=generation, now=at)
        return status.model_copy(update={"conditions": changed}).to_wire()

    def written(self, raw: Raw) -> None:
        """Those who wait are woken by the records."""

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """Its beginning and its end; who held it is told with each hand-over itself."""
        metadata = Metadata.parse(raw)
        made = [_event(metadata, "lease.created", metadata.creation_timestamp)]
        if is_gone:
            at = metadata.deletion_timestamp or datetime.now(UTC)
            made.append(_event(metadata, "lease.deleted", at))
        return tuple(made)


def _event(metadata: Metadata, kind: str, at: datetime) -> Event:
    return Event(
        id=events.derived_id(metadata.uid, 0, kind, at),
        type=kind,
        actor="operator",
        workspace=metadata.namespace,
        kind="Lease",
        name=metadata.name,
        uid=metadata.uid,
    )
