"""Keeps the gauges of the leader up to date: Jobs by phase and in line, its queue, its lag, the outbox."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from prometheus_client import Gauge

from coxswain.errors import CoxswainError
from coxswain.process.census import Census
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.turns import Turns
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.store import outbox
from coxswain.store.pool import Store
from coxswain.telemetry import few, job_metrics, metrics, pool_metrics
from coxswain.telemetry.few import Few

log = structlog.get_logger()

PERIOD_SECONDS = 1.0
OUTBOX_SECONDS = 15.0
COUNT_SECONDS = 5.0


class Lines:
    """Who waits and who runs, by workspace and queue."""

    def __init__(self) -> None:
        self._workspaces, self._queues = Few(few.MOST_WORKSPACES), Few(few.MOST_QUEUES)

    def show(self, turns: Turns) -> None:
        """Set the gauges; what is no more in line has no series."""
        self._set(job_metrics.JOBS_WAITING, turns.lined())
        self._set(job_metrics.JOBS_HOLDING, turns.running())

    def _set(self, gauge: Gauge, counts: Mapping[tuple[str, str], int]) -> None:
        found: Counter[tuple[str, str]] = Counter()
        for (workspace, queue), count in counts.items():
            found[self._workspaces.label(workspace), self._queues.label(queue)] += count
        gauge.clear()
        for labels, count in found.items():
            gauge.labels(*labels).set(count)


async def follow_outbox(store: Store) -> None:
    """Measure the outbox until cancelled; what cannot be asked for keeps its last value."""
    while True:
        try:
            backlog = await store.run(outbox.backlog)
        except CoxswainError as error:
            log.warning("the outbox cannot be measured", code=error.code)
        else:
            metrics.CALLBACKS_PENDING.set(backlog.pending)
            metrics.CALLBACKS_OLDEST_SECONDS.set(backlog.oldest_seconds)
        await asyncio.sleep(OUTBOX_SECONDS)


async def run(cache: Cache, reach: Reach, queue: WorkQueue, turns: Turns, workers: int) -> None:
    """Measure until cancelled; of a lost workspace it is not known what is in it."""
    loop, lines, census = asyncio.get_running_loop(), Lines(), Census()
    pool_metrics.WORKERS_MOST.set(workers)
    count_at = 0.0
    while True:
        began = loop.time()
        await asyncio.sleep(PERIOD_SECONDS)
        now = loop.time()
        metrics.LOOP_LAG_SECONDS.set(max(0.0, now - began - PERIOD_SECONDS))
        metrics.QUEUE_DEPTH.set(len(queue))
        metrics.QUEUE_AGE_SECONDS.set(queue.age_seconds())
        pool_metrics.WORKERS_BUSY.set(queue.working)
        lines.show(turns)
        if now >= count_at:
            census.show(reach.only_seen(cache.all("Job")), datetime.now(UTC))
            count_at = now + COUNT_SECONDS
