"""The Job's room as the loop sees it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from coxswain.api.job import TERMINAL
from coxswain.api.kind import Job
from coxswain.errors import CoxswainError
from coxswain.reconcile import actions, intake, phases, telling
from coxswain.reconcile import key as keys
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.store.events import Event
from coxswain.telemetry import traces
from coxswain_controllers.job import counting, decide, form, happenings, observe, rest, spans, turn
from coxswain_controllers.job.snapshot import JobSnapshot


class JobRoom:
    """Observe, decide and record Jobs."""

    kind = observe.KIND
    plural = "jobs"

    def __init__(self, world: World) -> None:
        self._world = world

    def listed(self, items: Iterable[Raw]) -> None:
        """Have all who waited before a restart stand in line before any slot is given out.

        Who has ended has no pass, or one after all others.
        """
        for raw in items:
            if phases.has_ended(raw):
                self._let_rest(raw)
            else:
                self._resume(raw)
        self._world.turns.give_out()

    def _let_rest(self, raw: Raw) -> None:
        cache, queue, key = self._world.cache, self._world.queue, keys.of(self.kind, raw)
        queue.drop(key)
        agent = cache.named("Agent", key.namespace, intake.agent_of(raw))
        if not rest.rests(raw, cache.children(key.uid), agent):
            queue.add(key)

    def _resume(self, raw: Raw) -> None:
        job = form.of_job(raw)
        agent = self._world.cache.named(
            "Agent", job.metadata.namespace, observe.agent_name(job.spec)
        )
        found = turn.resumed(job, None if agent is None else form.of_agent(agent))
        if found is not None:
            self._world.turns.resume(found)

    async def observe(self, key: Key) -> JobSnapshot | None:
        """Collect the snapshot of a Job."""
        return await observe.observe(self._world, key)

    def decide(self, snapshot: JobSnapshot, now: datetime) -> Decision:
        """Decide as if it were the Job's turn; a Job that would start then asks for its turn."""
        decision = decide.decide(snapshot, self._world.platform, now)
        if _starts(decision):
            decision = self._in_turn(snapshot, decision, now)
        else:
            self._stands_aside(snapshot, decision, now)
        return decision

    def _in_turn(self, snapshot: JobSnapshot, decision: Decision, now: datetime) -> Decision:
        full = self._world.turns.ask(turn.request(snapshot))
        if not full:
            raw = self._world.cache.get(self.kind, snapshot.key.uid)
            if raw is not None:
                self._world.descent.begin(raw)
            return decision
        return decide.decide(replace(snapshot, full=full), self._world.platform, now)

    def _stands_aside(self, snapshot: JobSnapshot, decision: Decision, now: datetime) -> None:
        """Be called when a quota has room again, or want nothing: all else wakes the Job itself."""
        turns, at = self._world.turns, turn.parking(snapshot, decision, self._world.platform, now)
        if at is None:
            turns.give_up(snapshot.key.uid)
        else:
            turns.park(turn.request(snapshot), at)

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        """Show the operation that keeps failing, without touching the phase."""
        status = Job.status_of(raw)
        if status.phase in TERMINAL:
            return None
        return telling.keeps_failing(raw, status, error, now)

    def written(self, before: Raw, raw: Raw) -> None:
        """An end concerns those who waited for it, and the Schedule that it comes from."""
        pods = self._world.cache.children(raw["metadata"]["uid"])
        counting.count(before, raw, pods, datetime.now(UTC))
        if traces.is_on():
            for span in spans.of(before, raw, pods):
                traces.ended(span)
        if (raw.get("status") or {}).get("phase") in TERMINAL:
            self._world.dependents.forget(raw)
            for key in self._world.dependents.of(raw):
                self._world.queue.add(key)
            owner = keys.owner(raw)
            if owner is not None:
                self._world.queue.add(owner)

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """All events that the Job stands for."""
        return happenings.of(raw, is_gone=is_gone)


def _starts(decision: Decision) -> bool:
    return any(isinstance(each, actions.CreatePod) for each in decision.actions)
