"""Drops records that have been kept for long enough, again and again, as the leader.

Under the epoch like every other write, so that one process does it. Killed in the middle, it goes on
where it was: each call drops whole rows, results before what they name.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog

from coxswain.errors import CoxswainError, FencedError
from coxswain.reconcile.fence import Fence
from coxswain.settings import RetentionSettings
from coxswain.store import audit_seals, retention
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

log = structlog.get_logger()

PERIOD_SECONDS = 600.0
# Between two calls, so that the loop's own writes find a free connection.
PAUSE_SECONDS = 0.05

Drop: TypeAlias = Callable[[Connection, int], Awaitable[int]]


class Retention:
    """One for each time of leading; ``run`` is its task."""

    def __init__(self, fence: Fence, kept: RetentionSettings) -> None:
        self._fence = fence
        self._lines: tuple[tuple[str, Drop, int], ...] = (
            ("deliveries", retention.drop_deliveries, kept.deliveries_kept_days),
            ("files", retention.drop_files, kept.records_kept_days),
            # Before the objects: with a Schedule go all of its ticks.
            ("ticks", retention.drop_ticks, kept.records_kept_days),
            ("objects", retention.drop_objects, kept.records_kept_days),
            ("usage", retention.drop_usage, kept.records_kept_days),
            *_asked("audit", audit_seals.drop, kept.audit_kept_days),
            *_asked("event_days", retention.drop_event_days, kept.events_kept_days),
        )

    async def run(self, period: float = PERIOD_SECONDS) -> None:
        """Drop what is due, until cancelled; while the database is away, later."""
        while True:
            await asyncio.sleep(period)
            await self.once()

    async def once(self) -> None:
        """Drop all that is due now; what cannot be is left, and does not keep the others.

        Raises FencedError.
        """
        for kind, drop, days in self._lines:
            try:
                await self._drop(kind, drop, days)
            except FencedError:
                raise
            except CoxswainError as error:
                log.warning("records that are due cannot be dropped", kind=kind, code=error.code)

    async def _drop(self, kind: str, drop: Drop, days: int) -> None:
        while dropped := await self._fence.write(drop, days):
            metrics.RECORDS_DROPPED.labels(kind).inc(dropped)
            await asyncio.sleep(PAUSE_SECONDS)


def _asked(kind: str, drop: Drop, days: int | None) -> tuple[tuple[str, Drop, int], ...]:
    """Off unless somebody asked for it."""
    return () if days is None else ((kind, drop, days),)
