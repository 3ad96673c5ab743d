"""New ticks: of the clock, of events, of people. Pure.

Every tick that comes in gets its row in this pass; ``through`` and the position in the log move with
them, in one transaction.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, takewhile

from coxswain import names
from coxswain.api.ticks import Counters, Outcome, ScheduleRequest, ScheduleState, Tick
from coxswain.reconcile import instants
from coxswain.rules import ticks as rules
from coxswain.rules.overlap import Reason
from coxswain_controllers.schedule.form import Readable
from coxswain_controllers.schedule.plan import Plan
from coxswain_controllers.schedule.snapshot import Happened, Heard, ScheduleSnapshot

PAGE = 500
"""Ticks that one pass takes in."""
COUNTED = 5000
"""Ticks of a cron line that one pass counts."""
MOST_WAITING = 1000
"""Ticks that may wait beside those of backfills; those beyond make no Job."""
MOST_BACKFILL = 1000
"""Ticks of backfills that are open at once; one of them may be as long."""
LAG = 500
"""Events that a Schedule may go through without writing down how far it has come."""
JUST_BEFORE = timedelta(microseconds=1)


def begun(snapshot: ScheduleSnapshot, readable: Readable, now: datetime) -> ScheduleState:
    """Where the Schedule is. One without a row begins when it was made, or where its status says.

    One that was edited before anybody could follow it begins now.
    """
    shown = instants.read(snapshot.status.last_tick)
    standing = snapshot.standing.state if snapshot.standing is not None else None
    if standing is None:
        began = snapshot.metadata.creation_timestamp
        counters = _shown_counters(snapshot)
        is_edited = snapshot.status.observed_generation not in (0, snapshot.metadata.generation)
        through = now if is_edited else max(began, shown or began)
        standing = ScheduleState(readable.trigger, through, counters=counters)
    if shown is not None and shown > standing.through:
        # The records are from before a restore; what the status shows is not done again.
        return replace(standing, through=shown)
    return standing


def of_edit(plan: Plan, snapshot: ScheduleSnapshot, readable: Readable) -> None:
    """Another trigger counts from now on; what the former one still had is missed."""
    if plan.state.trigger == readable.trigger:
        return
    former = rules.former_ticks(plan.state.trigger)
    left = former.span(plan.state.through, plan.now, COUNTED) if former is not None else None
    if left is not None:
        plan.settle_row(left, "Missed", Reason.EDITED)
        plan.update(through=left.last)
        if left.more:
            plan.more = True
            return
    _settle_heard(plan, snapshot, "Missed", Reason.EDITED)
    if plan.more:
        return
    position = None if readable.spec.on_event is None else snapshot.heard.position
    plan.update(trigger=readable.trigger, through=max(plan.state.through, plan.now))
    plan.update(position=position, cooled_at=None)


def of_people(plan: Plan, snapshot: ScheduleSnapshot, readable: Readable) -> None:
    """Carry out what people asked. A backfill for which there is no room waits for those before it."""
    requests = snapshot.standing.requests if snapshot.standing is not None else ()
    room = MOST_BACKFILL - sum(_is_open_backfill(tick) for tick in plan.open.values())
    for request in requests:
        if request.kind == "Continue":
            plan.update(paused=False)
        elif request.kind == "Trigger":
            plan.arrive(_triggered(request, plan.now))
        else:
            ticks = _backfill(plan, request, readable, room + 1)
            room -= len(ticks)
            if room < 0:
                continue
            for tick in ticks:
                plan.arrive(tick)
        plan.handled.append(request.id)


def of_clock(plan: Plan, snapshot: ScheduleSnapshot, readable: Readable) -> None:
    """Take in the ticks of the clock up to now; those that are too old are missed."""
    spec, ticking = readable.spec, readable.ticking
    oldest = plan.now - timedelta(seconds=spec.catch_up_window_seconds)
    late = ticking.span(plan.state.through, oldest - JUST_BEFORE, COUNTED)
    if late is not None:
        plan.settle_row(late, "Missed", Reason.CATCH_UP_WINDOW)
        plan.update(through=late.last)
        if late.more:
            plan.more = True
            return
    come = takewhile(lambda tick: tick <= plan.now, ticking.after(plan.state.through))
    due = list(islice(come, PAGE))
    plan.more = next(come, None) is not None
    waiting = plan.queued
    for n, at in enumerate(due):
        due_at = rules.due_at(snapshot.key.uid, at, spec.jitter_seconds)
        tick = replace(_tick(rules.name(at), at), due_at=due_at)
        plan.arrive(tick)
        if waiting + n >= MOST_WAITING:
            plan.settle(tick, "Skipped", Reason.BUFFER_FULL)
    if due:
        plan.update(through=due[-1])


def of_log(plan: Plan, snapshot: ScheduleSnapshot, readable: Readable) -> None:
    """Take in events. Each has the id of its place in the log, so it counts once."""
    wanted, heard = readable.spec.on_event, snapshot.heard
    if wanted is None or heard.position is None:
        return
    uid, jitter = snapshot.key.uid, readable.spec.jitter_seconds
    waiting = plan.queued
    for event in _new(plan, heard):
        due_at = rules.due_at(uid, event.at, jitter)
        tick = replace(_of_event(event), due_at=due_at)
        plan.arrive(tick)
        if rules.is_out_of_range(event.at, readable.spec):
            plan.settle(tick, "Skipped", Reason.OUT_OF_RANGE)
        elif plan.state.cooled_at is not None and event.at < plan.state.cooled_at:
            plan.settle(tick, "Skipped", Reason.COOLDOWN)
        elif waiting >= MOST_WAITING:
            plan.settle(tick, "Skipped", Reason.BUFFER_FULL)
        else:
            waiting += 1
            plan.update(cooled_at=event.at + timedelta(seconds=wanted.cooldown_seconds))
    plan.more = plan.more or heard.more
    was = plan.state.position
    if was is None or heard.events or heard.position - was >= LAG:
        plan.update(position=heard.position)


def skip(plan: Plan, snapshot: ScheduleSnapshot, readable: Readable, why: str) -> None:
    """Let pass what came in up to now: no tick of clock or log makes a Job."""
    passed = readable.ticking.span(plan.state.through, plan.now, COUNTED)
    if passed is not None:
        plan.settle_row(passed, "Skipped", why)
        plan.update(through=passed.last)
        plan.more = passed.more
    if readable.spec.on_event is not None:
        _settle_heard(plan, snapshot, "Skipped", why)


def _settle_heard(plan: Plan, snapshot: ScheduleSnapshot, outcome: Outcome, why: str) -> None:
    """Let pass what was heard: none of it makes a Job."""
    heard = snapshot.heard
    for event in _new(plan, heard):
        tick = _of_event(event)
        plan.arrive(tick)
        plan.settle(tick, outcome, why)
    if heard.position is not None:
        plan.update(position=heard.position)
        plan.more = plan.more or heard.more


def _new(plan: Plan, heard: Heard) -> list[Happened]:
    """What was heard and has no tick yet."""
    begin = plan.state.position
    return [each for each in heard.events if begin is None or each.position > begin]


def _of_event(event: Happened) -> Tick:
    return replace(_tick(f"e{event.position}", event.at), source="Event", cause=event.cause)


def _shown_counters(snapshot: ScheduleSnapshot) -> Counters:
    """What the status remembers where the row was lost."""
    shown = snapshot.status
    return Counters(
        fired=shown.fired,
        counted=shown.fired,
        missed=shown.missed,
        skipped=shown.skipped,
        buffered=shown.buffered,
        overrun=shown.overrun,
    )


def _triggered(request: ScheduleRequest, now: datetime) -> Tick:
    tick = _tick(f"m{names.uid_hash(request.id)}", request.at or now)
    cause = {"by": request.by, "why": request.why}
    return replace(tick, source="Trigger", cause=cause, overlap=request.overlap)


def _backfill(plan: Plan, request: ScheduleRequest, readable: Readable, most: int) -> list[Tick]:
    """The ticks of a past range, so many at most; none once a request before it found no room."""
    if request.since is None or request.until is None:
        return []
    cause = {"by": request.by, "why": request.why}
    asked_at = request.at or plan.now
    begin, until = names.uid_hash(request.id, length=8), min(request.until, asked_at)
    past = readable.ticking.after(request.since - JUST_BEFORE)
    wanted = takewhile(lambda at: at <= until, islice(past, min(MOST_BACKFILL, max(0, most))))
    return [
        replace(
            _tick(f"b{begin}-{rules.name(at)}", at),
            source="Backfill",
            cause=cause,
            due_at=asked_at,
            overlap=request.overlap or "BufferAll",
        )
        for at in wanted
    ]


def _is_open_backfill(tick: Tick) -> bool:
    return tick.source == "Backfill" and (tick.outcome is None or tick.is_running)


def _tick(name: str, at: datetime) -> Tick:
    return Tick(id=name, source="Time", at=at, due_at=at, through=at)
