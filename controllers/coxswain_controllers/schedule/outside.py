"""Ticks of what came in from outside: webhooks, and pages that changed. Pure.

Each gets its row in the pass that sees it, and counts as handled in the same transaction.
"""

from datetime import datetime, timedelta

from coxswain import names
from coxswain.api.schedule import ScheduleSpec
from coxswain.api.ticks import Tick
from coxswain.api.triggers import Trigger
from coxswain.rules import ticks as rules
from coxswain.rules.overlap import Reason
from coxswain_controllers.schedule.form import Readable
from coxswain_controllers.schedule.plan import Plan
from coxswain_controllers.schedule.snapshot import ScheduleSnapshot

PAGE = 500
"""Triggers that the records give at once."""
MOST_WAITING = 1000


def take_in(plan: Plan, snapshot: ScheduleSnapshot, readable: Readable, held: str = "") -> None:
    """Give each trigger its tick. ``held`` is why none of them may make a Job, if so."""
    triggers = snapshot.standing.triggers if snapshot.standing is not None else ()
    waiting = plan.queued
    for trigger in triggers:
        plan.triggers.append(str(trigger.id))
        tick = _tick(trigger, snapshot.key.uid, readable.spec, plan.now)
        if tick.id in plan.open:
            continue
        plan.arrive(tick)
        if not _is_wanted(trigger, readable.spec):
            plan.settle(tick, "Missed", Reason.EDITED)
        elif held:
            plan.settle(tick, "Skipped", held)
        elif rules.is_out_of_range(trigger.received_at, readable.spec):
            plan.settle(tick, "Skipped", Reason.OUT_OF_RANGE)
        elif waiting >= MOST_WAITING:
            plan.settle(tick, "Skipped", Reason.BUFFER_FULL)
        else:
            waiting += 1
    plan.more = plan.more or len(triggers) == PAGE


def _tick(trigger: Trigger, uid: str, spec: ScheduleSpec, now: datetime) -> Tick:
    at, jitter = trigger.received_at, spec.jitter_seconds
    # The database's clock may be ahead of ours; nobody has to wait for that.
    due_at = min(rules.due_at(uid, at, jitter), now + timedelta(seconds=jitter))
    return Tick(
        id=f"w{names.uid_hash(str(trigger.id), length=16)}",
        source=trigger.source,
        at=at,
        due_at=due_at,
        through=at,
        cause={"delivery": trigger.delivery_id, "digest": trigger.digest},
    )


def _is_wanted(trigger: Trigger, spec: ScheduleSpec) -> bool:
    """Whether the Schedule still has the trigger that it was taken in for."""
    return (spec.webhook if trigger.source == "Webhook" else spec.poll) is not None
