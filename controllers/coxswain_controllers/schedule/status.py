"""The status of a Schedule, from what was seen and what is about to be. Pure."""

import heapq
from datetime import datetime
from itertools import islice
from typing import Any

from coxswain.api.conditions import ConditionType, Seen, Status, merge
from coxswain.api.schedule import SchedulePhase, TickOutcome
from coxswain.api.ticks import Tick
from coxswain.errors import UserError
from coxswain.reconcile import instants
from coxswain.rules import ticks as rules
from coxswain.rules.overlap import Reason
from coxswain_controllers.schedule import notes
from coxswain_controllers.schedule.form import Readable
from coxswain_controllers.schedule.plan import Plan
from coxswain_controllers.schedule.snapshot import ScheduleSnapshot

SHOWN = 10
ACCEPTED = Seen(ConditionType.ACCEPTED, "True", "Valid")


def of(
    snapshot: ScheduleSnapshot, readable: Readable, plan: Plan, rows: tuple[Tick, ...]
) -> dict[str, Any]:
    """The whole status; equal to the old one where nothing changed. ``rows`` are to be written."""
    upcoming = _upcoming(snapshot, readable, plan)
    phase = _phase(plan, readable, upcoming)
    counters = plan.state.counters
    page = _page(snapshot, readable)
    seen = (ACCEPTED, *_held(snapshot, plan), snapshot.records, snapshot.agent, *page)
    update = {
        "phase": phase,
        "next_fire_times": [instants.text(at) for at in upcoming],
        "last_tick": instants.text(plan.state.through) if _has_ticked(snapshot, plan) else None,
        "last_outcomes": _outcomes(snapshot, plan, rows),
        "running": len(plan.running),
        "waiting": len(plan.waiting),
        "fired": counters.fired,
        "missed": counters.missed,
        "skipped": counters.skipped,
        "buffered": counters.buffered,
        "overrun": counters.overrun,
    }
    return _written(snapshot, (*seen, *_overall(snapshot, plan, phase, page)), update, plan.now)


def unreadable(snapshot: ScheduleSnapshot, error: UserError, now: datetime) -> dict[str, Any]:
    """The status of a Schedule of which nobody can tell when it fires; its counters stay."""
    text = error.message
    seen = (
        Seen(ConditionType.ACCEPTED, "False", "Invalid", text),
        Seen(ConditionType.READY, "False", "Invalid", text),
        Seen(ConditionType.RECONCILING, "False", "Invalid"),
        Seen(ConditionType.STALLED, "True", "Invalid"),
    )
    update = {"phase": SchedulePhase.FAILED, "next_fire_times": []}
    return _written(snapshot, seen, update, now)


def unrecorded(snapshot: ScheduleSnapshot, now: datetime) -> dict[str, Any]:
    """The status while the records are away: no tick fires before they know of it."""
    why = snapshot.records
    seen = (
        ACCEPTED,
        why,
        Seen(ConditionType.READY, "False", why.reason, why.message),
        Seen(ConditionType.RECONCILING, "True", why.reason),
        Seen(ConditionType.STALLED, "False", why.reason),
    )
    return _written(snapshot, seen, {"phase": SchedulePhase.PENDING}, now)


def _written(
    snapshot: ScheduleSnapshot, seen: tuple[Seen, ...], update: dict[str, Any], now: datetime
) -> dict[str, Any]:
    generation, at = snapshot.metadata.generation, instants.text(now)
    conditions = merge(snapshot.status.conditions, seen, generation=generation, now=at)
    whole = {**update, "observed_generation": generation, "conditions": conditions}
    return snapshot.status.model_copy(update=whole).to_wire()


def _upcoming(snapshot: ScheduleSnapshot, readable: Readable, plan: Plan) -> list[datetime]:
    """When the next ticks come due: those that wait for their jitter, and those of the clock."""
    spec = readable.spec
    if plan.state.held:
        return []
    waiting = [each.due_at for each in plan.waiting if each.due_at > plan.now]
    left = SHOWN
    if spec.max_runs is not None:
        left = min(SHOWN, max(0, spec.max_runs - plan.state.counters.counted - len(waiting)))
    coming = islice(readable.ticking.after(max(plan.state.through, plan.now)), left)
    uid, jitter = snapshot.key.uid, spec.jitter_seconds
    found = [*waiting, *(rules.due_at(uid, at, jitter) for at in coming)]
    return heapq.nsmallest(SHOWN, found)


def _phase(plan: Plan, readable: Readable, upcoming: list[datetime]) -> SchedulePhase:
    if _is_suspended(plan):
        return SchedulePhase.SUSPENDED
    spec = readable.spec
    listens = any(each is not None for each in (spec.on_event, spec.webhook, spec.poll))
    if upcoming or (listens and not plan.state.held) or plan.waiting or plan.running or plan.more:
        return SchedulePhase.ACTIVE
    return SchedulePhase.COMPLETE


def _is_suspended(plan: Plan) -> bool:
    return plan.state.held not in ("", Reason.LIMIT_REACHED)


def _has_ticked(snapshot: ScheduleSnapshot, plan: Plan) -> bool:
    return plan.state.through > snapshot.metadata.creation_timestamp


def _outcomes(snapshot: ScheduleSnapshot, plan: Plan, rows: tuple[Tick, ...]) -> list[TickOutcome]:
    """The last ones; a tick whose Job is made right after this counts already."""
    standing = snapshot.standing
    recent = {tick.id: tick for tick in (standing.recent if standing is not None else ())}
    for tick in rows:
        if tick.outcome is not None or tick.job_name is not None:
            recent[tick.id] = tick
    ordered = sorted(recent.values(), key=lambda tick: (tick.settled_at or plan.now, tick.at))
    return [_outcome(tick) for tick in ordered[-SHOWN:]]


def _outcome(tick: Tick) -> TickOutcome:
    return TickOutcome(
        at=instants.text(tick.at),
        outcome=tick.outcome or "Fired",
        reason=tick.reason or None,
        count=tick.count,
        job=tick.job_name,
    )


def _refused(snapshot: ScheduleSnapshot, plan: Plan) -> str:
    """What the API server says of the Job that was tried last, where it does not let it be made."""
    for tick in plan.running:
        if tick.outcome is None and tick.refused:
            return tick.refused
    recent = snapshot.standing.recent if snapshot.standing is not None else ()
    tried = [tick for tick in recent if tick.outcome == "Fired" or tick.reason == Reason.REFUSED]
    return tried[-1].refused if tried and tried[-1].reason == Reason.REFUSED else ""


def _held(snapshot: ScheduleSnapshot, plan: Plan) -> tuple[Seen, ...]:
    if not _is_suspended(plan):
        return ()
    text = notes.of_hold(snapshot, plan.state.held)
    return (Seen(ConditionType.SUSPENDED, "True", plan.state.held, text),)


def _page(snapshot: ScheduleSnapshot, readable: Readable) -> tuple[Seen, ...]:
    """How the last look at its page went, where it looks at one."""
    if readable.spec.poll is None:
        return ()
    found = snapshot.standing.poll if snapshot.standing is not None else None
    if found is None or found.checked_at is None:
        text = "nobody has looked yet; is the channel gateway switched on (channels.enabled)?"
        return (Seen(ConditionType.PAGE_REACHED, "Unknown", "NotLooked", text),)
    if not found.error:
        return (Seen(ConditionType.PAGE_REACHED, "True", "Reached"),)
    text = "the last look failed; docs/webhooks.md says what the reason means"
    return (Seen(ConditionType.PAGE_REACHED, "False", found.error, text),)


def _overall(
    snapshot: ScheduleSnapshot, plan: Plan, phase: SchedulePhase, page: tuple[Seen, ...]
) -> tuple[Seen, ...]:
    """Ready, Reconciling and Stalled, as kstatus reads them."""
    if _is_suspended(plan):
        why = Seen(
            ConditionType.READY, "False", plan.state.held, notes.of_hold(snapshot, plan.state.held)
        )
    elif refused := _refused(snapshot, plan):
        text = f"the API server refuses its Jobs: {refused}"
        why = Seen(ConditionType.READY, "False", "JobRefused", text)
    elif snapshot.agent.status != "True":
        agent = snapshot.agent
        why = Seen(ConditionType.READY, "False", agent.reason, agent.message)
    elif page and page[0].status == "False":
        why = Seen(ConditionType.READY, "False", page[0].reason, page[0].message)
    elif phase is SchedulePhase.COMPLETE:
        why = Seen(ConditionType.READY, "True", "Complete", "no tick is left")
    else:
        why = Seen(ConditionType.READY, "True", "Ready", "its ticks make Jobs")
    stalled: Status = "True" if plan.state.held == Reason.PAUSED_ON_FAILURE else "False"
    return (
        why,
        Seen(ConditionType.RECONCILING, "False", why.reason),
        Seen(ConditionType.STALLED, stalled, why.reason),
    )
