"""The Schedule's room as the loop sees it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from coxswain.api.event_types.schedule import SCHEDULE_CREATED, SCHEDULE_DELETED
from coxswain.api.kind import Metadata, Schedule
from coxswain.errors import CoxswainError
from coxswain.reconcile import telling
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.tick_act import JOB_REFUSED
from coxswain.reconcile.world import World
from coxswain.store.events import Event
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
        if plan is not None and plan.wanted:
            granted, seconds = self._world.pace.take(snapshot.key.uid, plan.wanted)
            if granted < plan.wanted:
                decision = decide.decide(replace(snapshot, slots=granted), now)
                later = now + timedelta(seconds=seconds)
                wake_at = later if decision.wake_at is None else min(later, decision.wake_at)
                decision = replace(decision, wake_at=wake_at)
        return decision

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        """Show the operation that keeps failing; of refused Jobs the status tells by itself."""
        if error.code == JOB_REFUSED:
            return None
        return telling.keeps_failing(raw, Schedule.status_of(raw), error, now)

    def written(self, before: Raw, raw: Raw) -> None:
        """A status of a Schedule concerns nobody else."""

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """Its beginning and its end; outcomes of ticks are recorded with their rows."""
        metadata = Metadata.parse(raw)
        made = telling.created(SCHEDULE_CREATED, metadata)
        return (made, telling.deleted(SCHEDULE_DELETED, metadata)) if is_gone else (made,)
