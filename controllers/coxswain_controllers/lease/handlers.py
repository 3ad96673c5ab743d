"""What the Lease's room hears from kopf: events of our Leases, not of the coordination leases."""

from typing import Any

import kopf

from coxswain import names
from coxswain.reconcile.world import World
from coxswain_controllers.lease.room import LeaseRoom


def make_room(world: World) -> LeaseRoom:
    """The room for one time of leading."""
    return LeaseRoom(world)


def register(registry: kopf.OperatorRegistry) -> None:
    """Register the event handler; it passes the object on and returns nothing."""

    @kopf.on.event(names.GROUP, names.VERSION, "leases", registry=registry)
    async def lease_changed(event: kopf.RawEvent, memo: Any, **_: Any) -> None:
        memo.hear("Lease", event["type"], event["object"])
