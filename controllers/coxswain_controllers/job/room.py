"""The Job's room as the loop sees it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coxswain.api.conditions import RETRYING_AFTER_ERROR, ConditionType, Seen, with_one
from coxswain.api.job import TERMINAL
from coxswain.api.kind import Job
from coxswain.errors import CoxswainError
from coxswain.reconcile import actions, instants
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.crowd import Line, Place
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.intake import NEXT
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.store.events import Event
from coxswain.telemetry import metrics
from coxswain_controllers.job import aside, decide, happenings, observe
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
        line = Line(snapshot.key.namespace, observe.agent_name(snapshot.spec))
        if _starts(decision):
            self._world.crowds.leave(snapshot.key.uid)
            self._world.crowds.take(line, snapshot.key.uid, snapshot.pod_name)
        else:
            self._keep_place(line, snapshot, decision, now)
        _measure(snapshot, decision)
        return decision

    def _keep_place(
        self, line: Line, snapshot: JobSnapshot, decision: Decision, now: datetime
    ) -> None:
        """Line up, or go; whoever gives up a slot or a place without a pod lets the next look."""
        crowds, uid = self._world.crowds, snapshot.key.uid
        gives_up = crowds.settle(uid) and snapshot.pod is None
        if _waits(snapshot, decision, now):
            crowds.wait(line, _place(snapshot))
        elif crowds.leave(uid):
            gives_up = True
        if gives_up:
            for key in crowds.next(line, NEXT):
                self._world.queue.add(key)

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        """Show the operation that keeps failing, without touching the phase."""
        status = Job.status_of(raw)
        if status.phase in TERMINAL:
            return None
        seen = Seen(ConditionType.RECONCILING, "True", RETRYING_AFTER_ERROR, error.message)
        at = instants.text(now)
        changed = with_one(status.conditions, seen, generation=_generation(raw), now=at)
        return status.model_copy(update={"conditions": changed}).to_wire()

    def written(self, raw: Raw) -> None:
        """An end concerns those who waited for it."""
        if (raw.get("status") or {}).get("phase") in TERMINAL:
            self._world.dependents.forget(raw)
            for key in self._world.dependents.of(raw):
                self._world.queue.add(key)

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """All events that the Job stands for."""
        return happenings.of(raw, is_gone=is_gone)


def _starts(decision: Decision) -> bool:
    return any(isinstance(each, actions.CreatePod) for each in decision.actions)


def _waits(snapshot: JobSnapshot, decision: Decision, now: datetime) -> bool:
    """Whether the Job stands in line: it has no pod, has not ended, and no wait of its own."""
    if snapshot.status.phase in TERMINAL or snapshot.pod is not None or decision.actions:
        return False
    if aside.stands_aside(snapshot):
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


def _generation(raw: Raw) -> int:
    return int(raw["metadata"].get("generation", 0))
