"""Deletes objects of the bucket that no file stands in: given up half-way, or dropped with their Job.

Every replica may do it at the same time: deleting twice is harmless, and what is deleted can never be
named again.
"""

import asyncio

from coxswain.errors import CoxswainError
from coxswain.sidecar.artifact_store import Objects
from coxswain.store import artifact_objects
from coxswain.store.pool import Store
from coxswain.telemetry import logs, metrics

log = logs.get(__name__)

PERIOD_SECONDS = 300.0
RETRY_SECONDS = 30.0


class Collector:
    """One for the process; ``run`` is its task."""

    def __init__(self, store: Store, bucket: Objects) -> None:
        self._store = store
        self._bucket = bucket

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.once()
                wait = PERIOD_SECONDS
            except CoxswainError as error:
                log.warning("objects that are due cannot be deleted", code=error.code)
                wait = RETRY_SECONDS
            await asyncio.sleep(wait)

    async def once(self) -> None:
        """Delete all that is due now."""
        await self._store.run(artifact_objects.doom_unfinished)
        while keys := await self._store.run(artifact_objects.doomed, self._bucket.name):
            await self._bucket.delete(keys)
            await self._store.transact(artifact_objects.deleted, keys)
            metrics.OBJECTS_DELETED.inc(len(keys))
