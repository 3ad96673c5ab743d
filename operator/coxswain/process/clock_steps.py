"""Tells when the wall clock has stepped: whoever waits for a time of day has to look again.

The queue waits by the monotonic clock, which goes on as if nothing had happened.
"""

import asyncio
from collections.abc import Callable

import structlog

log = structlog.get_logger()

LOOK_SECONDS = 1.0
STEP_SECONDS = 1.0


class ClockSteps:
    """Compares two clocks, both in seconds."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._apart = wall() - monotonic()

    def step(self) -> float:
        """By how much the wall clock has stepped since the last look; slow drift is none."""
        apart = self._wall() - self._monotonic()
        stepped, self._apart = apart - self._apart, apart
        return stepped if abs(stepped) >= STEP_SECONDS else 0.0


async def run(steps: ClockSteps, on_step: Callable[[], None]) -> None:
    """Look until cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        stepped = steps.step()
        if stepped:
            log.warning("the clock has stepped", seconds=round(stepped, 1))
            on_step()
