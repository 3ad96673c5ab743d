"""Rows, keys and exports of the audit log, for tests of every tier."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from coxswain.api.audit import Actor, Ahead, AuditEntry, AuditRow, Object, Outcome, Seal
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.sealing import Sealing
from coxswain.rules import audit_chain, audit_keys, audit_proof
from coxswain.rules.audit_keys import SealingKeys
from coxswain.rules.audit_proof import Head, Verdict
from coxswain.sidecar.audit_export import Export
from coxswain.store import uuid7
from coxswain.store.audit import Query
from coxswain.store.pool import Store

INSTALLATION = "test"
AT = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)
ALL = Query()
Line = dict[str, Any]


def seed(number: int) -> str:
    """The private key of that number, as it stands in a key file."""
    return f"{number:02x}" * 32


def keys(number: int = 1, former: Sequence[int] = ()) -> SealingKeys:
    """A key that signs, and those before it."""
    lines = [seed(number), *(f"former {keys(each).public.text}" for each in former)]
    return audit_keys.read("\n".join(lines))


def entry(action: str = "create_job", **fields: Any) -> AuditEntry:
    """A row that local has asked for, in workspace "team"."""
    known: dict[str, Any] = {
        "id": uuid7.new(datetime.now(UTC)),
        "outcome": Outcome.DONE,
        "actor": Actor("user", "local"),
        "workspace": "team",
        "object": Object("Job", "nightly"),
    }
    return AuditEntry(action=action, **(known | fields))


def row(number: int, **fields: Any) -> AuditRow:
    """A row that is always the same, for its number."""
    id_ = UUID(int=(7 << 76) | (2 << 62) | number)
    return AuditRow(entry(id=id_, **fields), AT + timedelta(seconds=number))


def sealed(
    batches: Sequence[Sequence[AuditRow]],
    by: SealingKeys,
    workspace: str = "team",
    after: Sequence[tuple[Seal, Sequence[AuditRow]]] = (),
) -> list[tuple[Seal, Sequence[AuditRow]]]:
    """A chain over these rows; ``after`` is its beginning."""
    chain = list(after)
    for batch in batches:
        former = chain[-1][0] if chain else None
        ahead = Ahead(former, tuple(batch), AT + timedelta(hours=1), "server/1/1")
        body = audit_chain.following(ahead, workspace, INSTALLATION, by.public.id)
        written = audit_chain.seal(body)
        signature = by.sign(audit_chain.signed(written))
        chain.append((Seal(body, audit_chain.digest_of_seal(written), signature), batch))
    return chain


def lines_of(chain: Sequence[tuple[Seal, Sequence[AuditRow]]], **asked: Any) -> list[Line]:
    """An export of whole chains, as objects."""
    head = {"version": 1, "installation": INSTALLATION, "asked": asked, "at": "now"}
    lines: list[Line] = [{"export": head}]
    rows = 0
    for seal, batch in chain:
        content = {
            "body": audit_chain.seal(seal.body),
            "signature": seal.signature,
            "shown": True,
            "droppedAt": None,
        }
        lines.append({"seal": content})
        lines += [{"row": audit_chain.row(each)} for each in batch]
        rows += len(batch)
    counts = {"seals": len(chain), "rows": rows, "omitted": 0, "unsealed": 0}
    return [*lines, {"end": counts}]


def text(lines: Sequence[Line]) -> list[str]:
    """As JSON Lines."""
    return [json.dumps(line) + "\n" for line in lines]


async def sealer(store: Store, folder: Path, content: str | None = None) -> Sealing:
    """The sealing of a leader whose key file holds this."""
    file = folder / "key"
    file.write_text(seed(1) if content is None else content)
    fence = Fence(store, "one")
    fence.begin(1)
    await fence.take()
    return Sealing(fence, INSTALLATION, file)


async def exported(store: Store, query: Query = ALL, after: int | None = None) -> list[Line]:
    """An export from the records, as objects."""
    asked: Line = {name: str(value) for name, value in vars(query).items() if value is not None}
    if after is not None:
        asked["after"] = after
    parts = [part async for part in Export(store, INSTALLATION, query, after).lines(asked)]
    return [json.loads(line) for line in b"".join(parts).splitlines()]


def verified(lines: Sequence[Line], *, by: SealingKeys | None = None, **fields: Any) -> Verdict:
    """What is found wrong, by the keys of its signer and of those before it."""
    signer = by or keys()
    return audit_proof.verify(text(lines), [signer.public, *signer.former], **fields)


def heads(lines: Sequence[Line]) -> dict[str, Head]:
    """The heads of an export, for a later one to go on from."""
    return dict(audit_proof.heads_of(text(lines)))


def changed(stored: AuditRow, **fields: Any) -> AuditRow:
    """The same row with another content."""
    return replace(stored, entry=replace(stored.entry, **fields))
