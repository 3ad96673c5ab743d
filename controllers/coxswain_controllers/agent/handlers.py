"""What the Agent's room hears from kopf: events of Agents. Nothing else."""

from typing import Any

import kopf

from coxswain import names
from coxswain.reconcile.world import World
from coxswain_controllers.agent.room import AgentRoom


def make_room(world: World) -> AgentRoom:
    """The room for one time of leading."""
    return AgentRoom(world)


def register(registry: kopf.OperatorRegistry) -> None:
    """Register the event handler; it passes the object on and returns nothing."""

    @kopf.on.event(names.GROUP, names.VERSION, "agents", registry=registry)
    async def agent_changed(event: kopf.RawEvent, memo: Any, **_: Any) -> None:
        memo.hear("Agent", event["type"], event["object"])
