"""What to do about a Schedule. Pure.

First what became of its Jobs, then what is new, then what is due: one plan, whose rows stand before
anything is made of them.
"""

from datetime import datetime, timedelta

from coxswain import names
from coxswain.api.ticks import TickChange
from coxswain.errors import UserError
from coxswain.reconcile import actions
from coxswain.reconcile.decision import NOTHING, Decision, Note
from coxswain.rules.overlap import Reason
from coxswain_controllers.schedule import arrivals, due, follow, manifest, outside, status
from coxswain_controllers.schedule.form import Readable
from coxswain_controllers.schedule.plan import Plan, in_rows
from coxswain_controllers.schedule.snapshot import ScheduleSnapshot

LOOK_AGAIN = timedelta(seconds=5)
SOON = timedelta(seconds=1)


def decide(snapshot: ScheduleSnapshot, now: datetime) -> Decision:
    """Settle what is due, make its Jobs, and say when the next tick comes."""
    return plan_and_decision(snapshot, now)[1]


def plan_and_decision(snapshot: ScheduleSnapshot, now: datetime) -> tuple[Plan | None, Decision]:
    """The same, with the plan that it comes from."""
    readable = snapshot.readable
    if snapshot.metadata.deletion_timestamp is not None:
        return None, NOTHING
    if isinstance(readable, UserError):
        found = status.unreadable(snapshot, readable, now)
        return None, Decision(status=found, notes=_refusal(snapshot, readable))
    if snapshot.standing is None:
        return None, Decision(status=status.unrecorded(snapshot, now), wake_at=now + LOOK_AGAIN)
    began = arrivals.begun(snapshot, readable, now)
    plan = Plan(now, began, {tick.id: tick for tick in snapshot.standing.open}, snapshot.jobs)
    displaced = _fill(plan, snapshot, readable)
    rows = in_rows(plan)
    todo: list[actions.Action] = []
    if rows or plan.handled or plan.triggers or plan.state != snapshot.standing.state:
        key = snapshot.key
        change = TickChange(
            uid=key.uid,
            workspace=key.namespace,
            name=key.name,
            state=plan.state,
            ticks=rows,
            handled=tuple(plan.handled),
            triggers=tuple(plan.triggers),
        )
        todo.append(actions.KeepTicks(change))
    todo += displaced
    todo += [manifest.firing(snapshot, readable.spec, tick) for tick in plan.firing]
    todo += follow.leftover(plan, snapshot, readable.spec)
    found = status.of(snapshot, readable, plan, rows)
    return plan, Decision(tuple(todo), found, wake_at=_wake_at(plan, snapshot, readable))


def why_held(snapshot: ScheduleSnapshot, plan: Plan, readable: Readable) -> str:
    """Why no tick makes a Job, in one word; nothing while they do."""
    spec = readable.spec
    if not snapshot.is_enabled:
        return Reason.SWITCHED_OFF
    if spec.suspend:
        return Reason.SUSPENDED
    if names.ANNOTATION_SUSPEND in snapshot.metadata.annotations:
        return Reason.PAUSED
    if plan.state.paused:
        return Reason.PAUSED_ON_FAILURE
    return Reason.LIMIT_REACHED if due.is_over(plan, spec) else ""


def _fill(
    plan: Plan, snapshot: ScheduleSnapshot, readable: Readable
) -> tuple[actions.Displace, ...]:
    spec = readable.spec
    follow.jobs(plan, spec)
    arrivals.of_edit(plan, snapshot, readable)
    if plan.more:
        return ()
    arrivals.of_people(plan, snapshot, readable)
    held = why_held(snapshot, plan, readable)
    word = held
    if held != plan.state.held:
        # What came in meanwhile goes by the word that held until now; what held nothing, by the new.
        word = plan.state.held or held
        arrivals.skip(plan, snapshot, readable, word)
    elif not held:
        arrivals.of_clock(plan, snapshot, readable)
        arrivals.of_log(plan, snapshot, readable)
    outside.take_in(plan, snapshot, readable, word)
    if not plan.more:
        plan.update(held=held)
    if held == Reason.SWITCHED_OFF:
        return ()
    return due.ticks(plan, snapshot, spec, only_people=held not in ("", Reason.LIMIT_REACHED))


def _wake_at(plan: Plan, snapshot: ScheduleSnapshot, readable: Readable) -> datetime | None:
    if plan.more:
        return plan.now
    times = [due.next_look(plan, readable.spec)]
    if not plan.state.held and not due.is_over(plan, readable.spec):
        times.append(next(readable.ticking.after(plan.state.through), None))
    if follow.waits_for_records(plan, snapshot, readable.spec):
        times.append(plan.now + SOON)
    return min((at for at in times if at is not None), default=None)


def _refusal(snapshot: ScheduleSnapshot, error: UserError) -> tuple[Note, ...]:
    """Tell people once of a spec that cannot be followed."""
    if snapshot.status.observed_generation == snapshot.metadata.generation:
        return ()
    return (Note("Warning", "Invalid", error.message),)
