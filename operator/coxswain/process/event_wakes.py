"""Wakes the Schedules that wait for events when the log has grown; each reads on from its own place."""

import asyncio

from coxswain.reconcile import key as keys
from coxswain.reconcile.world import World
from coxswain.store.events import CHANNEL as CHANNEL
from coxswain.store.listener import Listener

GATHER_SECONDS = 0.2


async def run(world: World, listener: Listener) -> None:
    """Wake them until cancelled; events that come together wake them once."""
    with listener.subscribe(CHANNEL) as spoken:
        # The log may have grown while nobody led.
        spoken.set()
        while True:
            await spoken.wait()
            await asyncio.sleep(GATHER_SECONDS)
            spoken.clear()
            for raw in world.cache.all("Schedule"):
                if "onEvent" in (raw.get("spec") or {}):
                    world.queue.add(keys.of("Schedule", raw))
