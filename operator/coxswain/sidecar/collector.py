"""Deletes objects of the bucket that no file stands in: given up half-way, or dropped with their Job.

Every replica may do it at the same time: deleting twice is harmless, and what is deleted can never be
named again.
"""

import asyncio

from coxswain.errors import CoxswainError, UnavailableError
from coxswain.sidecar.artifact_store import Objects
from coxswain.store import artifact_objects
from coxswain.store.bucket import NO_ANSWER, Deleted
from coxswain.store.pool import Connection, Store
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
        """Delete all that is due now, and leave what the bucket refuses to delete for the next time.

        Raises UnavailableError where the bucket does not answer.
        """
        await self._store.run(artifact_objects.doom_unfinished)
        left = set[str]()
        while keys := await self._due(left):
            done = await self._bucket.delete(keys)
            left.update(done.left)
            await self._store.transact(_note, done)
            metrics.OBJECTS_DELETED.inc(len(done.gone))
            metrics.OBJECTS_LEFT.inc(len(done.left))
            if not done.is_answered:
                raise UnavailableError("the bucket does not answer", code=NO_ANSWER)

    async def _due(self, left: set[str]) -> list[str]:
        # What was left waits behind all others: where only such is found, all were tried.
        found = await self._store.run(artifact_objects.doomed, self._bucket.name)
        return [key for key in found if key not in left]


async def _note(connection: Connection, done: Deleted) -> None:
    await artifact_objects.deleted(connection, done.gone)
    await artifact_objects.postpone(connection, done.left)
