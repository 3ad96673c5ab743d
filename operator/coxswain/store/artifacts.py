"""What is too large for an event: a command's whole output, kept per run and name.

The content is in the row, or in an object of the installation's bucket that the row names;
``artifact_objects`` keeps the objects.
"""

import hashlib
from dataclasses import dataclass

from coxswain.errors import ConflictError, UserError
from coxswain.store import artifact_objects, claims
from coxswain.store.artifact_objects import Place
from coxswain.store.pool import Connection
from coxswain.store.runs import Run, RunKey

PER_RUN = 64


@dataclass(frozen=True)
class Facts:
    """What is known of a file beside its content."""

    name: str
    content_type: str
    sha256: str
    size: int
    """In bytes."""


@dataclass(frozen=True)
class Artifact:
    """One file of a run: its content, or where it is."""

    name: str
    content_type: str
    sha256: str
    content: bytes | None
    place: Place | None


def facts(name: str, content_type: str, content: bytes) -> Facts:
    """Those of a file."""
    return Facts(name, content_type, hashlib.sha256(content).hexdigest(), len(content))


async def put(
    connection: Connection, pod_uid: str, name: str, content_type: str, content: bytes
) -> str:
    """Keep a file of the pod's run in its row and return its hash; the same again is harmless.

    Raises ConflictError artifact_differs or run_closed, UserError too_many_artifacts.
    """
    known = facts(name, content_type, content)
    run = await claims.held(connection, pod_uid)
    if await _is_new(connection, run.key, known):
        await _insert(connection, run, known, content, None)
    return known.sha256


async def reserve(connection: Connection, pod_uid: str, known: Facts, place: Place) -> bool:
    """Note that an object is about to be written for a file of the pod's run.

    False: the same file stands already, and no object is wanted. Raises like ``put``.
    """
    run = await claims.held(connection, pod_uid)
    if not await _is_new(connection, run.key, known):
        return False
    await artifact_objects.begin(connection, place)
    return True


async def finish(connection: Connection, pod_uid: str, known: Facts, place: Place) -> None:
    """Keep a file whose object stands; the same again is harmless.

    Raises like ``put``, and UnavailableError object_given_up where it took so long that the object
    is no more ours.
    """
    run = await claims.held(connection, pod_uid)
    if await _is_new(connection, run.key, known):
        await artifact_objects.keep(connection, place)
        await _insert(connection, run, known, None, place)


async def missing(connection: Connection, key: RunKey, names: list[str]) -> list[str]:
    """Those of these names under which the run has kept nothing."""
    standing = await _standing(connection, key) if names else {}
    return [name for name in names if name not in standing]


async def get(
    connection: Connection, job_uid: str, name: str, attempt: int | None = None
) -> Artifact | None:
    """A file of a Job: of that attempt, or of the newest that has it."""
    row = await connection.fetchrow(
        "SELECT name, content_type, sha256, content, object_key, bucket FROM artifacts"
        " LEFT JOIN artifact_objects ON key = object_key"
        " WHERE job_uid = $1 AND name = $2 AND (attempt = $3 OR $3 IS NULL)"
        " ORDER BY attempt DESC LIMIT 1",
        job_uid,
        name,
        attempt,
    )
    if row is None:
        return None
    place = None if row["object_key"] is None else Place(row["bucket"], row["object_key"])
    return Artifact(row["name"], row["content_type"], row["sha256"], row["content"], place)


async def _standing(connection: Connection, key: RunKey) -> dict[str, str]:
    """The hash of each file of a run, by name."""
    rows = await connection.fetch(
        "SELECT name, sha256 FROM artifacts WHERE job_uid = $1 AND attempt = $2",
        key.job_uid,
        key.attempt,
    )
    return {row["name"]: row["sha256"] for row in rows}


async def _is_new(connection: Connection, key: RunKey, known: Facts) -> bool:
    # claims.held has locked the run, so its names cannot change meanwhile.
    standing = await _standing(connection, key)
    if known.name in standing:
        if standing[known.name] == known.sha256:
            return False
        raise ConflictError(f"'{known.name}' stands with another content", code="artifact_differs")
    if len(standing) >= PER_RUN:
        raise UserError(f"a run keeps at most {PER_RUN} artifacts", code="too_many_artifacts")
    return True


async def _insert(
    connection: Connection, run: Run, known: Facts, content: bytes | None, place: Place | None
) -> None:
    await connection.execute(
        "INSERT INTO artifacts"
        " (job_uid, attempt, name, content_type, sha256, bytes, content, object_key)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        run.key.job_uid,
        run.key.attempt,
        known.name,
        known.content_type,
        known.sha256,
        known.size,
        content,
        place.key if place is not None else None,
    )
