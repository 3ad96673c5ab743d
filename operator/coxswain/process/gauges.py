"""Keeps the gauges of the loop up to date: Jobs by phase, queue, and how late the loop itself is."""

import asyncio
from collections import Counter

from coxswain.api.job import JobPhase
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.telemetry import metrics

PERIOD_SECONDS = 1.0


async def run(cache: Cache, queue: WorkQueue) -> None:
    """Measure until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        await asyncio.sleep(PERIOD_SECONDS)
        metrics.LOOP_LAG_SECONDS.set(max(0.0, loop.time() - began - PERIOD_SECONDS))
        metrics.QUEUE_DEPTH.set(len(queue))
        metrics.QUEUE_AGE_SECONDS.set(queue.age_seconds())
        phases = Counter((raw.get("status") or {}).get("phase", "") for raw in cache.all("Job"))
        for phase in JobPhase:
            metrics.JOBS.labels(phase.value).set(phases[phase.value])
