"""The Job's room as the loop sees it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coxswain.api.conditions import ConditionType, Seen, merge
from coxswain.api.job import TERMINAL
from coxswain.api.kind import Job, Metadata
from coxswain.errors import CoxswainError
from coxswain.reconcile import actions, instants
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.crowd import Place
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.store.events import Event
from coxswain.telemetry import metrics
from coxswain_controllers.job import decide, happenings, observe
from coxswain_controllers.job.snapshot import JobSnapshot


class JobRoom:
    """Observe, decide and record Jobs."""

    kind = observe.KIND
    plural = "jobs"

    def __init__(self, world: World) -> None:
        self._world = world

    async def observe(self, key: Key) -> JobSnapshot | None:
        """Collect the snapshot of a Job."""
        return await observe.observe(self._world, key)

    def decide(self, snapshot: JobSnapshot, now: datetime) -> Decision:
        """Decide, and keep the place in the Agent's line up to date before anybody else looks."""
        decision = decide.decide(snapshot, self._world.platform, now)
        line = (snapshot.key.namespace, observe.agent_name(snapshot.spec))
        starts = any(isinstance(each, actions.CreatePod) for each in decision.actions)
        if starts:
            self._world.crowds.take(line, snapshot.key.uid)
        else:
            self._world.crowds.settle(line, snapshot.key.uid)
        if starts or not _waits(snapshot, decision, now):
            self._world.crowds.leave(snapshot.key.uid)
        else:
            self._world.crowds.wait(line, _place(snapshot))
        _measure(snapshot, decision)
        return decision

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        """Show the operation that keeps failing, without touching the phase."""
        status = Job.status_of(raw)
        if status.phase in TERMINAL:
            return None
        seen = Seen(ConditionType.RECONCILING, "True", "RetryingAfterError", error.message)
        kept = [each for each in status.conditions if each.type != seen.type]
        added = merge(
            status.conditions,
            (seen,),
            generation=Metadata.parse(raw).generation,
            now=instants.text(now),
        )
        return status.model_copy(update={"conditions": [*kept, *added]}).to_wire()

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """All events that the Job stands for."""
        return happenings.of(raw, is_gone=is_gone)


def _waits(snapshot: JobSnapshot, decision: Decision, now: datetime) -> bool:
    """Whether the Job stands in line: it has no pod, has not ended, and no wait of its own."""
    if snapshot.status.phase in TERMINAL or snapshot.pod is not None or decision.actions:
        return False
    retry_at = instants.read(snapshot.status.retry_at)
    return retry_at is None or retry_at <= now


def _place(snapshot: JobSnapshot) -> Place:
    created_at = instants.text(snapshot.metadata.creation_timestamp)
    return Place(created_at, snapshot.key.uid, snapshot.key)


def _measure(snapshot: JobSnapshot, decision: Decision) -> None:
    """Count attempts that end, and the wait of a Job whose first pod runs."""
    if decision.status is None:
        return
    before = {each.number: each.outcome for each in snapshot.status.attempts}
    for attempt in decision.status.get("attempts", ()):
        outcome = attempt.get("outcome")
        if outcome is not None and before.get(attempt["number"]) is None:
            metrics.ATTEMPTS.labels(outcome).inc()
    started_at = instants.read(decision.status.get("startedAt"))
    if snapshot.status.started_at is None and started_at is not None:
        waited = started_at - snapshot.metadata.creation_timestamp
        metrics.QUEUE_WAIT_SECONDS.observe(max(0.0, waited.total_seconds()))
