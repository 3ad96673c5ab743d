"""What makes two requests for an object the same, and what is said when they are not."""

import hashlib

from coxswain.api import payload
from coxswain.api.meta import Model
from coxswain.api.records import KeyHolder
from coxswain.errors import ConflictError

JOB = "Job"
REUSED = "idempotency_key_reused"
GONE = "idempotency_job_gone"


def kept_key(kind: str, key: str) -> str:
    """How a key stands in the records: of each kind its own. No key has a space."""
    return key if kind == JOB else f"{kind} {key}"


def mark(key: str, payload: str) -> str:
    """What an object carries that was made under a key and has no field for it."""
    return hashlib.sha256(f"{key}\n{payload}".encode()).hexdigest()


def payload_hash(workspace: str, spec: Model) -> str:
    """One text for one payload: the whole spec but for its defaults, and where it is to run.

    All that the kind ever gets is in it by itself, and changes no hash of before where it is not
    used; only to ask for the end is no payload.
    """
    whole = spec.model_dump(mode="json", by_alias=True, exclude={"cancel"}, exclude_defaults=True)
    said = payload.canonical({"workspace": workspace, "spec": whole})
    return hashlib.sha256(said.encode()).hexdigest()


def reused(holder: KeyHolder) -> ConflictError:
    """The key stands for another payload."""
    text = f"{_stands(holder)}, which is another; send that request again, or take a new key"
    return ConflictError(text, code=REUSED, field=_place(holder))


def duplicate(holder: KeyHolder) -> str:
    """Why a second object with the same key and payload does nothing."""
    return (
        f"spec.idempotencyKey: '{holder.key}' stands for Job '{holder.job_name}', which has the"
        " same spec and does the work"
    )


def gone(holder: KeyHolder) -> ConflictError:
    """The object was made and deleted, and nothing is kept of it."""
    text = f"{_stands(holder)}, which was deleted before it was recorded; take a new key"
    return ConflictError(text, code=GONE, field=_place(holder))


def _stands(holder: KeyHolder) -> str:
    kind, key = _apart(holder)
    where = f"'{holder.job_name}' in workspace '{holder.workspace}'"
    return f"{_place(holder)}: '{key}' stands for {kind} {where}"


def _place(holder: KeyHolder) -> str:
    return "spec.idempotencyKey" if _apart(holder)[0] == JOB else "header.Idempotency-Key"


def _apart(holder: KeyHolder) -> tuple[str, str]:
    kind, space, key = holder.key.partition(" ")
    return (kind, key) if space else (JOB, holder.key)
