"""The Schedule's room as the loop sees it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from coxswain.api.conditions import RETRYING_AFTER_ERROR, ConditionType, Seen, with_one
from coxswain.api.kind import Metadata, Schedule
from coxswain.errors import CoxswainError
from coxswain.reconcile import actions, instants
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.store import events
from coxswain.store.events import Event
from coxswain.telemetry import metrics
from coxswain_controllers.schedule import decide, observe
from coxswain_controllers.schedule.snapshot import ScheduleSnapshot


class ScheduleRoom:
    """Observe, decide and record Schedules."""

    kind = observe.KIND
    plural = "schedules"

    def __init__(self, world: World) -> None:
        self._world = world

    def listed(self, items: Iterable[Raw]) -> None:
        """Schedules stand in no line."""

    async def observe(self, key: Key) -> ScheduleSnapshot | None:
        """Collect the snapshot of a Schedule."""
        return await observe.observe(self._world, key)

    def decide(self, snapshot: ScheduleSnapshot, now: datetime) -> Decision:
        """Decide as if every due tick could make its Job now; what is too many for now waits."""
        plan, decision = decide.plan_and_decision(snapshot, now)
        pace = self._world.pace
        if plan is not None and plan.wanted and pace is not None:
            granted, seconds = pace.take(snapshot.key.uid, plan.wanted)
            if granted < plan.wanted:
                decision = decide.decide(replace(snapshot, slots=granted), now)
                later = now + timedelta(seconds=seconds)
                wake_at = later if decision.wake_at is None else min(later, decision.wake_at)
                decision = replace(decision, wake_at=wake_at)
        _measure(decision, now)
        return decision

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        """Show the operation that keeps failing."""
        status = Schedule.status_of(raw)
        seen = Seen(ConditionType.RECONCILING, "True", RETRYING_AFTER_ERROR, error.message)
        generation, at = Metadata.parse(raw).generation, instants.text(now)
        changed = with_one(status.conditions, seen, generation=generation, now=at)
        return status.model_copy(update={"conditions": changed}).to_wire()

    def written(self, raw: Raw) -> None:
        """A status of a Schedule concerns nobody else."""

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """Its beginning and its end; outcomes of ticks are recorded with their rows."""
        metadata = Metadata.parse(raw)
        made = [_event(metadata, "schedule.created", metadata.creation_timestamp)]
        if is_gone:
            at = metadata.deletion_timestamp or datetime.now(UTC)
            made.append(_event(metadata, "schedule.deleted", at))
        return tuple(made)


def _measure(decision: Decision, now: datetime) -> None:
    for action in decision.actions:
        if isinstance(action, actions.FireTick):
            late = (now - action.tick.due_at).total_seconds()
            metrics.TICK_SECONDS.observe(max(0.0, late))
        if isinstance(action, actions.KeepTicks):
            for tick in action.change.ticks:
                if tick.outcome is not None and tick.outcome != "Fired":
                    metrics.TICKS.labels(tick.outcome).inc(tick.count)


def _event(metadata: Metadata, kind: str, at: datetime) -> Event:
    return Event(
        id=events.derived_id(metadata.uid, 0, kind, at),
        type=kind,
        actor="operator",
        workspace=metadata.namespace,
        kind="Schedule",
        name=metadata.name,
        uid=metadata.uid,
        details={},
    )
