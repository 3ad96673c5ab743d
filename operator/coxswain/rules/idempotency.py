"""What makes two requests for a Job the same, and what is said when they are not."""

import hashlib

from coxswain.api import payload
from coxswain.api.job import JobSpec
from coxswain.api.records import KeyHolder
from coxswain.errors import ConflictError

REUSED = "idempotency_key_reused"
GONE = "idempotency_job_gone"


def payload_hash(workspace: str, spec: JobSpec) -> str:
    """One text for one payload: the whole spec but for its defaults, and where it is to run.

    All that the kind ever gets is in it by itself, and changes no hash of before where it is not
    used; only to ask for the end is no payload.
    """
    whole = spec.model_dump(mode="json", by_alias=True, exclude={"cancel"}, exclude_defaults=True)
    said = payload.canonical({"workspace": workspace, "spec": whole})
    return hashlib.sha256(said.encode()).hexdigest()


def reused(holder: KeyHolder) -> ConflictError:
    """The key stands for another payload."""
    return ConflictError(
        f"spec.idempotencyKey: '{holder.key}' stands for Job '{holder.job_name}' in workspace"
        f" '{holder.workspace}', whose spec is another; send that spec again, or take a new key",
        code=REUSED,
        field="spec.idempotencyKey",
    )


def duplicate(holder: KeyHolder) -> str:
    """Why a second object with the same key and payload does nothing."""
    return (
        f"spec.idempotencyKey: '{holder.key}' stands for Job '{holder.job_name}', which has the"
        " same spec and does the work"
    )


def gone(holder: KeyHolder) -> ConflictError:
    """The Job was made and deleted, and nothing is kept of it."""
    return ConflictError(
        f"spec.idempotencyKey: '{holder.key}' stood for Job '{holder.job_name}', which was deleted"
        " before it was recorded; take a new key",
        code=GONE,
        field="spec.idempotencyKey",
    )
