"""Where files of runs are kept: in Postgres, or in the installation's bucket if it has one.

In the bucket, the object stands before the row that names it, and its key is in Postgres before the
object. Killed in between, it leaves an object that nobody names; the collector deletes it.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol
from uuid import uuid4

from coxswain.errors import CoxswainError, UnavailableError
from coxswain.store import artifacts, claims
from coxswain.store.artifact_objects import Place
from coxswain.store.artifacts import Artifact
from coxswain.store.bucket import Deleted
from coxswain.store.pool import Store

DAMAGED = "artifact_damaged"
ELSEWHERE = "artifact_elsewhere"


class Objects(Protocol):
    """What a bucket can."""

    name: str

    async def put(self, key: str, content: bytes) -> None:
        """Write an object, whole or not at all."""
        ...

    async def get(self, key: str) -> bytes:
        """Read a whole object."""
        ...

    async def delete(self, keys: Sequence[str]) -> Deleted:
        """Delete objects."""
        ...


class ArtifactStore:
    """One for the process. New files go to the bucket, if there is one; old ones stay where they are."""

    def __init__(self, store: Store, bucket: Objects | None = None, prefix: str = "") -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix

    async def put(
        self,
        pod_uid: str,
        name: str,
        content_type: str,
        content: bytes,
        *,
        tokens: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Keep a file of the pod's run, under these leases beside its own; again is harmless.

        Raises ConflictError artifact_differs, run_closed or lease_lost, UserError
        too_many_artifacts, UnavailableError.
        """
        write, under = self._store.transact, claims.under
        if self._bucket is None:
            await write(under, tokens, artifacts.put, pod_uid, name, content_type, content)
            return
        known = await asyncio.to_thread(artifacts.facts, name, content_type, content)
        # A key of its own for each try: what another try left behind is never taken for this one's.
        place = Place(self._bucket.name, f"{self._prefix}{uuid4()}")
        if await write(under, tokens, artifacts.reserve, pod_uid, known, place):
            await self._bucket.put(place.key, content)
            await write(under, tokens, artifacts.finish, pod_uid, known, place)

    async def content(self, found: Artifact) -> bytes:
        """The content of a file, as it was sent.

        Raises UnavailableError, also where the file is in a bucket that this installation names no more.
        """
        if found.content is not None:
            return found.content
        if found.place is None:
            raise CoxswainError(f"the artifact '{found.name}' is nowhere", code=DAMAGED)
        if self._bucket is None or self._bucket.name != found.place.bucket:
            raise UnavailableError(
                f"'{found.name}' is in the bucket '{found.place.bucket}', which this installation"
                " does not use now",
                code=ELSEWHERE,
            )
        content = await self._bucket.get(found.place.key)
        if await asyncio.to_thread(_digest, content) != found.sha256:
            raise CoxswainError(f"the bucket gave another content for '{found.name}'", code=DAMAGED)
        return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
