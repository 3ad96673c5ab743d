"""The Agent's room as the loop sees it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from coxswain.api.conditions import RETRYING_AFTER_ERROR, ConditionType, Seen, find, with_one
from coxswain.api.kind import Agent, Metadata
from coxswain.errors import CoxswainError
from coxswain.reconcile import instants
from coxswain.reconcile import key as keys
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.store import events
from coxswain.store.events import Event
from coxswain_controllers.agent import decide, observe
from coxswain_controllers.agent.snapshot import AgentSnapshot


class AgentRoom:
    """Observe, decide and record Agents."""

    kind = observe.KIND
    plural = "agents"

    def __init__(self, world: World) -> None:
        self._world = world

    def listed(self, items: Iterable[Raw]) -> None:
        """Agents stand in no line."""

    async def observe(self, key: Key) -> AgentSnapshot | None:
        """Collect the snapshot of an Agent."""
        return await observe.observe(self._world, key)

    def decide(self, snapshot: AgentSnapshot, now: datetime) -> Decision:
        """Decide what to do about it."""
        return decide.decide(snapshot, now)

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        """Show the operation that keeps failing."""
        status = Agent.status_of(raw)
        seen = Seen(ConditionType.RECONCILING, "True", RETRYING_AFTER_ERROR, error.message)
        generation, at = Metadata.parse(raw).generation, instants.text(now)
        changed = with_one(status.conditions, seen, generation=generation, now=at)
        return status.model_copy(update={"conditions": changed}).to_wire()

    def written(self, raw: Raw) -> None:
        """Have every Job of the Agent look at its new readiness."""
        metadata = raw["metadata"]
        for job in self._world.cache.group(("jobs", metadata["namespace"], metadata["name"])):
            self._world.queue.add(keys.of("Job", job))

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """What is known of its readiness now, and its end."""
        metadata, status = Metadata.parse(raw), Agent.status_of(raw)
        made = []
        ready = find(status.conditions, ConditionType.READY)
        if ready is not None:
            kind = "agent.ready" if ready.status == "True" else "agent.not_ready"
            at = instants.read(ready.last_transition_time) or metadata.creation_timestamp
            made.append(_event(metadata, kind, at, {"reason": ready.reason}))
        if is_gone:
            at = metadata.deletion_timestamp or datetime.now(UTC)
            made.append(_event(metadata, "agent.deleted", at, {}))
        return tuple(made)


def _event(metadata: Metadata, kind: str, at: datetime, details: dict[str, Any]) -> Event:
    return Event(
        id=events.derived_id(metadata.uid, 0, kind, at),
        type=kind,
        actor="operator",
        workspace=metadata.namespace,
        kind="Agent",
        name=metadata.name,
        uid=metadata.uid,
        details=details,
    )
