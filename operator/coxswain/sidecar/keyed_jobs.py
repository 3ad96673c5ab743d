"""A Job under an idempotency key: made once, however often and by however many it is asked for.

1. the row: of all who ask at once, one decides name and payload
2. the object, under that name
3. the row says which object it is
Whoever comes after a crash between two of them goes on where it was.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from coxswain import names
from coxswain.api.job import JobSpec
from coxswain.api.kind import Job
from coxswain.errors import ConflictError, UserError
from coxswain.kube import answers
from coxswain.rules import idempotency as rules
from coxswain.sidecar import objects
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import NewMetadata, Resource
from coxswain.store import idempotency, mirror
from coxswain.store.idempotency import KeyHolder
from coxswain.store.pool import Store

Body = dict[str, Any]
Make = Callable[[str], Awaitable[Body]]


class KeyedJobs:
    """Keys in the records, objects in the cluster."""

    def __init__(self, store: Store, cluster: Objects, seconds: int) -> None:
        self._store = store
        self._cluster = cluster
        self._seconds = seconds

    async def create(
        self, workspace: str, metadata: NewMetadata, spec: JobSpec, make: Make
    ) -> tuple[Resource, int]:
        """The Job of the spec's key, and 201 or 200: made now, or before. ``make`` takes a name.

        Raises ConflictError idempotency_key_reused where the key stands for another payload.
        """
        key = spec.idempotency_key or ""
        name = metadata.name or names.keyed_job(metadata.generate_name or "", workspace, key)
        wanted = KeyHolder(workspace, key, rules.payload_hash(workspace, spec), name)
        holder = await self._store.transact(idempotency.take, wanted, self._seconds)
        if holder.payload_hash != wanted.payload_hash:
            raise rules.reused(holder)
        if holder.job_uid is not None:
            return await self._standing(holder), 200
        made, status = await self._made(holder, make)
        await self._store.run(idempotency.settle, holder, made["metadata"]["uid"])
        return objects.of(made, "Job"), status

    async def _made(self, holder: KeyHolder, make: Make) -> tuple[Body, int]:
        try:
            return await make(holder.job_name), 201
        except ConflictError as error:
            if error.code != answers.ALREADY_EXISTS:
                raise
            return await self._there_already(holder, error), 200
        except UserError:
            await self._store.run(idempotency.release, holder)
            raise

    async def _there_already(self, holder: KeyHolder, error: ConflictError) -> Body:
        live = await objects.live(self._cluster, "Job", holder.workspace, holder.job_name)
        found = Job.parse(live).spec
        if found.idempotency_key != holder.key:
            await self._store.run(idempotency.release, holder)
            raise error
        if rules.payload_hash(holder.workspace, found) != holder.payload_hash:
            await self._store.run(idempotency.release, holder)
            raise rules.reused(holder)
        return live

    async def _standing(self, holder: KeyHolder) -> Resource:
        """The Job that was made, also after it is gone."""
        row = await self._store.run(mirror.by_uid, holder.job_uid or "")
        if row is not None:
            return objects.of(row.body, "Job")
        try:
            live = await objects.live(self._cluster, "Job", holder.workspace, holder.job_name)
        except UserError as error:
            raise rules.gone(holder) from error
        if live["metadata"]["uid"] != holder.job_uid:
            raise rules.gone(holder)
        return objects.of(live, "Job")
