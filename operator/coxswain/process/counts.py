"""Keeps the gauges of leases and Schedules up to date, which one looks at less often than at a queue."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping

import structlog
from prometheus_client import Gauge

from coxswain.api.lease import LeaseState
from coxswain.api.schedule import SchedulePhase
from coxswain.errors import CoxswainError
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.reach import Reach
from coxswain.store import counts
from coxswain.store.pool import Store
from coxswain.telemetry import metrics

log = structlog.get_logger()

PERIOD_SECONDS = 15.0
OPEN = ("waiting", "making", "running")


async def run(store: Store, cache: Cache, reach: Reach) -> None:
    """Count until cancelled; what cannot be asked for keeps its last value."""
    while True:
        phases = Counter(
            (raw.get("status") or {}).get("phase", "")
            for raw in reach.only_seen(cache.all("Schedule"))
        )
        _show(metrics.SCHEDULES, SchedulePhase, phases)
        try:
            found = await store.run(counts.count)
        except CoxswainError as error:
            log.warning("leases and ticks cannot be counted", code=error.code)
        else:
            _show(metrics.LEASES, LeaseState, found.leases)
            _show(metrics.TICKS_OPEN, OPEN, found.ticks)
            metrics.LEASE_WAITERS.set(found.lease_waiters)
            metrics.TRIGGERS_WAITING.set(found.triggers)
        await asyncio.sleep(PERIOD_SECONDS)


def _show(gauge: Gauge, labels: Iterable[str], found: Mapping[str, int]) -> None:
    for label in labels:
        gauge.labels(str(label)).set(found.get(label, 0))
