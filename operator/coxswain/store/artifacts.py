"""What is too large for an event: a command's whole output, kept per run and name."""

import hashlib
from dataclasses import dataclass

from coxswain.errors import ConflictError, UserError
from coxswain.store import claims
from coxswain.store.pool import Connection

PER_RUN = 64


@dataclass(frozen=True)
class Artifact:
    """One file of a run."""

    name: str
    content_type: str
    sha256: str
    content: bytes


async def put(
    connection: Connection, pod_uid: str, name: str, content_type: str, content: bytes
) -> str:
    """Keep a file of the pod's run and return its hash; the same again is harmless.

    Raises ConflictError artifact_differs or run_closed, UserError too_many_artifacts.
    """
    run = await claims.held(connection, pod_uid)
    digest = hashlib.sha256(content).hexdigest()
    standing = await connection.fetch(
        "SELECT name, sha256 FROM artifacts WHERE job_uid = $1 AND attempt = $2",
        run.key.job_uid,
        run.key.attempt,
    )
    known = {row["name"]: row["sha256"] for row in standing}
    if name in known:
        if known[name] == digest:
            return digest
        raise ConflictError(f"'{name}' stands with another content", code="artifact_differs")
    if len(known) >= PER_RUN:
        raise UserError(f"a run keeps at most {PER_RUN} artifacts", code="too_many_artifacts")
    # claims.held has locked the run, so its names cannot change meanwhile.
    await connection.execute(
        "INSERT INTO artifacts (job_uid, attempt, name, content_type, sha256, bytes, content)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        run.key.job_uid,
        run.key.attempt,
        name,
        content_type,
        digest,
        len(content),
        content,
    )
    return digest


async def get(
    connection: Connection, job_uid: str, name: str, attempt: int | None = None
) -> Artifact | None:
    """A file of a Job: of that attempt, or of the newest that has it."""
    row = await connection.fetchrow(
        "SELECT name, content_type, sha256, content FROM artifacts"
        " WHERE job_uid = $1 AND name = $2 AND (attempt = $3 OR $3 IS NULL)"
        " ORDER BY attempt DESC LIMIT 1",
        job_uid,
        name,
        attempt,
    )
    return Artifact(**dict(row)) if row is not None else None
