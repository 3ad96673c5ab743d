"""Ticks that are due: they make their Job, wait, or come to nothing, by the overlap policy. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from coxswain import names
from coxswain.api.schedule import ScheduleSpec
from coxswain.api.ticks import Tick
from coxswain.reconcile import actions
from coxswain.rules import overlap
from coxswain.rules.overlap import Fate, Verdict
from coxswain_controllers.schedule.plan import Plan
from coxswain_controllers.schedule.snapshot import ScheduleSnapshot

BUFFERED = "Buffered"
"""The reason of a tick that waits for the end of a Job."""


def ticks(
    plan: Plan, snapshot: ScheduleSnapshot, spec: ScheduleSpec, *, only_people: bool
) -> tuple[actions.Displace, ...]:
    """Decide about every tick that is due. While the Schedule is held, only what people asked."""
    rule, running = _rule(plan, spec), plan.running
    due = [
        tick
        for tick in plan.waiting
        if tick.due_at <= plan.now and not (only_people and tick.is_counted)
    ]
    verdicts = overlap.resolve(due, len(running), rule, plan.now)
    meets = len(running)
    for verdict in verdicts:
        _carry_out(plan, snapshot, verdict, meets=meets > 0)
        meets += verdict.fate is Fate.FIRE
    return _displaced(plan, running, verdicts, rule)


def next_look(plan: Plan, spec: ScheduleSpec) -> datetime | None:
    """When a tick that waits comes due, or has waited for too long."""
    times = [tick.due_at for tick in plan.waiting if tick.due_at > plan.now]
    if spec.starting_deadline_seconds is not None:
        patience = timedelta(seconds=spec.starting_deadline_seconds, microseconds=1)
        times += [tick.due_at + patience for tick in plan.waiting]
    return min((at for at in times if at > plan.now), default=None)


def is_over(plan: Plan, spec: ScheduleSpec) -> bool:
    """Whether as many ticks as may have made their Job."""
    return spec.max_runs is not None and plan.state.counters.counted >= spec.max_runs


def _rule(plan: Plan, spec: ScheduleSpec) -> overlap.Rule:
    deadline = spec.starting_deadline_seconds
    left = None
    if spec.max_runs is not None:
        left = max(0, spec.max_runs - plan.state.counters.counted)
    return overlap.Rule(
        overlap=spec.overlap,
        buffer_limit=spec.buffer_limit,
        deadline=None if deadline is None else timedelta(seconds=deadline),
        left=left,
    )


def _carry_out(plan: Plan, snapshot: ScheduleSnapshot, verdict: Verdict, *, meets: bool) -> None:
    tick, fate = verdict.tick, verdict.fate
    if fate is Fate.FIRE:
        plan.wanted += 1
        if plan.wanted <= snapshot.slots:
            _fire(plan, snapshot, tick, meets=meets)
    elif fate is Fate.WAIT:
        if tick.reason != BUFFERED:
            plan.put(replace(tick, reason=BUFFERED))
            plan.count(buffered=1, overrun=1)
    else:
        if fate is Fate.SKIP and meets and tick.reason != BUFFERED:
            plan.count(overrun=1)
        plan.settle(tick, "Skipped" if fate is Fate.SKIP else "Missed", str(verdict.reason))


def _fire(plan: Plan, snapshot: ScheduleSnapshot, tick: Tick, *, meets: bool) -> None:
    key = snapshot.key
    name = names.tick_job(key.name, key.uid, tick.id)
    if meets and tick.reason != BUFFERED:
        plan.count(overrun=1)
    tick = replace(tick, job_name=name, reason="")
    plan.put(tick)
    plan.count(fired=1, counted=int(tick.is_counted))
    plan.firing.append(tick)


def _displaced(
    plan: Plan, running: list[Tick], verdicts: list[Verdict], rule: overlap.Rule
) -> tuple[actions.Displace, ...]:
    """The Jobs that have to end, so that the newest tick can have its own."""
    policy = overlap.displaces(verdicts, rule)
    if policy is None:
        return ()
    text = f"a newer tick of the Schedule takes its place (overlap {policy})"
    grace = 0 if policy == "TerminateOther" else None
    jobs = [plan.jobs.get(tick.job_name or "") for tick in running]
    return tuple(
        actions.Displace(job.key, text, grace)
        for job in jobs
        if job is not None and not job.is_gone
    )
