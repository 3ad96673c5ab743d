"""What the Schedule's room hears from kopf: events of Schedules. Its Jobs come by their own room's."""

from typing import Any

import kopf

from coxswain import names
from coxswain.reconcile.world import World
from coxswain_controllers.schedule.room import ScheduleRoom


def make_room(world: World) -> ScheduleRoom:
    """The room for one time of leading."""
    return ScheduleRoom(world)


def register(registry: kopf.OperatorRegistry) -> None:
    """Register the event handler; it passes the object on and returns nothing."""

    @kopf.on.event(names.GROUP, names.VERSION, "schedules", registry=registry)
    async def schedule_changed(event: kopf.RawEvent, memo: Any, **_: Any) -> None:
        memo.hear("Schedule", event["type"], event["object"])
