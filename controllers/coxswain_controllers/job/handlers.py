"""What the Job's room hears from kopf: events of Jobs. Its pods and the quotas come past kopf."""

from typing import Any

import kopf

from coxswain import names
from coxswain.reconcile.world import World
from coxswain_controllers.job.room import JobRoom


def make_room(world: World) -> JobRoom:
    """The room for one time of leading."""
    return JobRoom(world)


def register(registry: kopf.OperatorRegistry) -> None:
    """Register the event handler; it passes the object on and returns nothing."""

    @kopf.on.event(names.GROUP, names.VERSION, "jobs", registry=registry)
    async def job_changed(event: kopf.RawEvent, memo: Any, **_: Any) -> None:
        memo.hear("Job", event["type"], event["object"])
