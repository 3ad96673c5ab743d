"""What is hashed and signed of the audit log, byte for byte. ``docs/audit.md`` is the page for people.

The written form of a row or a seal is a JSON object as in RFC 8785: UTF-8, keys sorted, no spaces, no
number but integers. Times are UTC with six digits of a second and Z. Each digest is SHA-256, and what
is hashed or signed begins with a line that says what it is, so that nothing passes for something else.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from coxswain.api import payload
from coxswain.api.audit import Ahead, AuditRow, SealBody

ROW = b"coxswain audit row 1\n"
ROWS = b"coxswain audit rows 1\n"
SEAL = b"coxswain audit seal 1\n"
FIRST = "0" * 64
"""What the first seal of a chain names as the one before."""
OWN = "-"
"""How people name the chain of what belongs to no workspace."""

Written = dict[str, Any]


def row(stored: AuditRow) -> Written:
    """The written form of a row: all of it but where it was sealed."""
    entry = stored.entry
    return {
        "id": str(entry.id),
        "at": time(stored.at),
        "workspace": entry.workspace,
        "actor": asdict(entry.actor),
        "action": entry.action,
        "outcome": entry.outcome.value,
        "begunBy": str(entry.begun_by) if entry.begun_by is not None else None,
        "object": asdict(entry.object),
        "reason": entry.reason,
        "requestId": entry.request_id,
        "hashes": entry.hashes,
        "details": entry.details,
    }


def following(ahead: Ahead, workspace: str, installation: str, key_id: str) -> SealBody:
    """The body of the seal that comes next in the chain of a workspace."""
    former = ahead.former
    return SealBody(
        installation=installation,
        workspace=workspace,
        number=former.body.number + 1 if former is not None else 1,
        previous=former.digest if former is not None else FIRST,
        rows=len(ahead.rows),
        root=root(digest_of_row(row(each)) for each in ahead.rows),
        sealed_at=ahead.at,
        server=ahead.server,
        key_id=key_id,
    )


def seal(body: SealBody) -> Written:
    """The written form of a seal's body."""
    return {
        "installation": body.installation,
        "workspace": body.workspace,
        "number": body.number,
        "previous": body.previous,
        "rows": body.rows,
        "root": body.root,
        "sealedAt": time(body.sealed_at),
        "server": body.server,
        "key": body.key_id,
    }


def digest_of_row(written: Written) -> str:
    """Its digest, in hexadecimal."""
    return hashlib.sha256(ROW + _bytes(written)).hexdigest()


def root(digests: Iterable[str]) -> str:
    """The digest over the digests of rows, in their order. Raises ValueError for what is none."""
    found = hashlib.sha256(ROWS)
    for each in digests:
        found.update(bytes.fromhex(each))
    return found.hexdigest()


def signed(written: Written) -> bytes:
    """What is signed of a seal."""
    return SEAL + _bytes(written)


def digest_of_seal(written: Written) -> str:
    """Its digest, which the next seal names."""
    return hashlib.sha256(signed(written)).hexdigest()


def time(at: datetime) -> str:
    """An instant as it is written."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _bytes(written: Written) -> bytes:
    return payload.canonical(written).encode()
