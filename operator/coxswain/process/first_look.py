"""What a leader reads before its first pass."""

from collections.abc import Collection, Mapping
from typing import Any

from coxswain.kube.watch import Stream
from coxswain.process import following, garbage
from coxswain.reconcile.room import Room
from coxswain.reconcile.sweeper import Sweeper
from coxswain.reconcile.world import World


async def at_everything(
    world: World, rooms: Mapping[str, Room[Any]], streams: Collection[Stream], sweeper: Sweeper
) -> None:
    """Read all that there is, and have each room say who stands in line. Raises if the API server is away."""
    with garbage.spared():
        await following.list_all(streams)
        if world.reach.is_whole:
            await sweeper.fill()
        for room in rooms.values():
            room.listed(world.reach.only_seen(world.cache.all(room.kind)))
