"""Keeps the gauges of the leader up to date: Jobs by phase and in line, its queue, its lag, the outbox."""

import asyncio
from collections import Counter
from collections.abc import Mapping

import structlog
from prometheus_client import Gauge

from coxswain.api.job import JobPhase
from coxswain.errors import CoxswainError
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.turns import Turns
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.store import outbox
from coxswain.store.pool import Store
from coxswain.telemetry import metrics

log = structlog.get_logger()

PERIOD_SECONDS = 1.0
OUTBOX_SECONDS = 15.0
MOST_WORKSPACES = 100
MOST_QUEUES = 20
OTHER = "other"


class Few:
    """The first names that come have a label of their own, so that labels stay few."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, name: str) -> str:
        """The name, or what all names beyond the most share."""
        if name not in self._known and len(self._known) >= self._most:
            return OTHER
        self._known.add(name)
        return name


class Lines:
    """Who waits and who runs, by workspace and queue."""

    def __init__(self) -> None:
        self._workspaces, self._queues = Few(MOST_WORKSPACES), Few(MOST_QUEUES)

    def show(self, turns: Turns) -> None:
        """Set the gauges; what is no more in line has no series."""
        self._set(metrics.JOBS_WAITING, turns.lined())
        self._set(metrics.JOBS_HOLDING, turns.running())

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


async def run(cache: Cache, queue: WorkQueue, turns: Turns) -> None:
    """Measure until cancelled."""
    loop, lines = asyncio.get_running_loop(), Lines()
    while True:
        began = loop.time()
        await asyncio.sleep(PERIOD_SECONDS)
        metrics.LOOP_LAG_SECONDS.set(max(0.0, loop.time() - began - PERIOD_SECONDS))
        metrics.QUEUE_DEPTH.set(len(queue))
        metrics.QUEUE_AGE_SECONDS.set(queue.age_seconds())
        lines.show(turns)
        phases = Counter((raw.get("status") or {}).get("phase", "") for raw in cache.all("Job"))
        for phase in JobPhase:
            metrics.JOBS.labels(phase.value).set(phases[phase.value])
