"""An object under an idempotency key: made once, however often and by however many it is asked for.

1. the row: of all who ask at once, one decides name and payload
2. the object, under that name
3. the row says which object it is
Whoever comes after a crash between two of them goes on where it was.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from coxswain import names
from coxswain.api.job import JobSpec
from coxswain.api.kind import Job
from coxswain.errors import ConflictError, UserError
from coxswain.kube import answers
from coxswain.rules import idempotency as rules
from coxswain.sidecar import objects
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import Resource
from coxswain.store import idempotency, mirror
from coxswain.store.idempotency import KeyHolder
from coxswain.store.pool import Store
from coxswain.web.routes import Call

KEY_HEADER = "Idempotency-Key"
KEY = r"[!-~]{1,255}"
Body = dict[str, Any]
Make = Callable[[Body], Awaitable[Body]]


@dataclass(frozen=True)
class NewObject:
    """What is to be made, and the key that it is asked for under, if there is one."""

    kind: str
    workspace: str
    metadata: Body
    """Its name or generateName, and labels."""
    payload_hash: str
    """What makes two requests the same; of no use without a key."""
    key: str | None

    @property
    def holder(self) -> KeyHolder:
        """The row that asks for the key: an object that is given only a beginning has its name from the key."""
        kept = rules.kept_key(self.kind, self.key or "")
        begins = self.metadata.get("generateName", "")
        name = self.metadata.get("name") or names.keyed(begins, self.workspace, kept)
        return KeyHolder(self.workspace, kept, self.payload_hash, name)

    def named(self, name: str) -> Body:
        """The metadata under the name that was found for it; with the key, where the spec cannot hold it."""
        given = {**self.metadata, "name": name}
        given.pop("generateName", None)
        if self.kind != "Job":
            given["annotations"] = {names.ANNOTATION_IDEMPOTENCY: self._mark}
        return given

    def is_made(self, live: Body) -> bool | None:
        """Whether an object of this name was made for this request; None: for the key, with another payload."""
        if self.kind != "Job":
            annotations = live["metadata"].get("annotations") or {}
            return bool(annotations.get(names.ANNOTATION_IDEMPOTENCY) == self._mark)
        found = Job.parse(live).spec
        if found.idempotency_key != self.key:
            return False
        return rules.payload_hash(self.workspace, found) == self.payload_hash or None

    @property
    def _mark(self) -> str:
        return rules.mark(self.key or "", self.payload_hash)


class KeyedObjects:
    """Keys in the records, objects in the cluster."""

    def __init__(self, store: Store, cluster: Objects, seconds: int) -> None:
        self._store = store
        self._cluster = cluster
        self._seconds = seconds

    async def create(self, wanted: NewObject, make: Make) -> tuple[Resource, int]:
        """The object, and 201 or 200: made now, or before by its key. ``make`` takes its metadata.

        Raises ConflictError idempotency_key_reused where the key stands for another payload.
        """
        if wanted.key is None:
            return objects.of(await make(wanted.metadata), wanted.kind), 201
        holder = await self._store.transact(idempotency.take, wanted.holder, self._seconds)
        if holder.payload_hash != wanted.payload_hash:
            raise rules.reused(holder)
        if wanted.kind != "Job" and wanted.metadata.get("name") not in (None, holder.job_name):
            raise rules.reused(holder)
        if holder.job_uid is not None:
            return await self._standing(wanted.kind, holder), 200
        made, status = await self._made(wanted, holder, make)
        await self._store.run(idempotency.settle, holder, made["metadata"]["uid"])
        return objects.of(made, wanted.kind), status

    async def _made(self, wanted: NewObject, holder: KeyHolder, make: Make) -> tuple[Body, int]:
        try:
            return await make(wanted.named(holder.job_name)), 201
        except ConflictError as error:
            if error.code != answers.ALREADY_EXISTS:
                raise
            return await self._there_already(wanted, holder, error), 200
        except UserError:
            await self._store.run(idempotency.release, holder)
            raise

    async def _there_already(
        self, wanted: NewObject, holder: KeyHolder, error: ConflictError
    ) -> Body:
        live = await objects.live(self._cluster, wanted.kind, holder.workspace, holder.job_name)
        is_made = wanted.is_made(live)
        if is_made:
            return live
        await self._store.run(idempotency.release, holder)
        raise error if is_made is False else rules.reused(holder)

    async def _standing(self, kind: str, holder: KeyHolder) -> Resource:
        """The object that was made, also after it is gone."""
        row = await self._store.run(mirror.by_uid, holder.job_uid or "")
        if row is not None:
            return objects.of(row.body, kind)
        try:
            live = await objects.live(self._cluster, kind, holder.workspace, holder.job_name)
        except UserError as error:
            raise rules.gone(holder) from error
        if live["metadata"]["uid"] != holder.job_uid:
            raise rules.gone(holder)
        return objects.of(live, kind)


def key_of(call: Call) -> str | None:
    """The key of a request's header, if it has one. Raises UserError for one that has not its form."""
    key = call.header(KEY_HEADER)
    if key is not None and not re.fullmatch(KEY, key):
        text = "a key is 1 to 255 visible ASCII characters, no space among them"
        raise UserError(text, field=f"header.{KEY_HEADER}")
    return key


def with_key(call: Call, spec: JobSpec) -> JobSpec:
    """The spec of a Job with the key of the request's header, if it has one."""
    key = key_of(call)
    if key is None:
        return spec
    if spec.idempotency_key not in (None, key):
        raise UserError("the header names another key", field="spec.idempotencyKey")
    return spec.model_copy(update={"idempotency_key": key})
