"""The Agent's room as the loop sees it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from coxswain.api.conditions import ConditionType, find
from coxswain.api.event_types.agent import AGENT_DELETED, AGENT_NOT_READY, AGENT_READY, Readiness
from coxswain.api.kind import Agent, Metadata
from coxswain.errors import CoxswainError
from coxswain.reconcile import instants, telling
from coxswain.reconcile import key as keys
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
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
        return telling.keeps_failing(raw, Agent.status_of(raw), error, now)

    def written(self, before: Raw, raw: Raw) -> None:
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
            what = AGENT_READY if ready.status == "True" else AGENT_NOT_READY
            at = instants.read(ready.last_transition_time) or metadata.creation_timestamp
            made.append(telling.event(what, Readiness(reason=ready.reason), metadata, at))
        if is_gone:
            made.append(telling.deleted(AGENT_DELETED, metadata))
        return tuple(made)
