"""What the audit log says: who asked for what of which object, and what came of it. Pure.

``AuditEntry`` is what a process writes, ``AuditRow`` what stands in the log, ``Seal`` one link of a chain.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """What came of it."""

    BEGUN = "begun"
    """Written before the act. Without a later row that names it, nobody saw the end."""
    DONE = "done"
    DENIED = "denied"
    """The caller had no right to it."""
    FAILED = "failed"
    """The caller was told that it failed; with a code of 503 it may have happened all the same."""


@dataclass(frozen=True)
class Actor:
    """Who: ``user`` local, ``agent`` team/reader, ``pod`` team/first-1, ``operator``."""

    kind: str
    name: str = ""

    @classmethod
    def of(cls, written: str) -> "Actor":
        """From ``KIND:NAME``, as callers and events write themselves."""
        kind, _, name = written.partition(":")
        return cls(kind, name)


@dataclass(frozen=True)
class Object:
    """What it was about: the kind, and name or uid as far as they were known."""

    kind: str = ""
    name: str = ""
    uid: str = ""


@dataclass(frozen=True)
class AuditEntry:
    """A row to be written; its time will be the database's."""

    id: UUID
    action: str
    outcome: Outcome
    actor: Actor
    workspace: str = ""
    object: Object = Object()
    begun_by: UUID | None = None
    """The row that this one ends."""
    reason: str = ""
    request_id: str = ""
    hashes: dict[str, str] = field(default_factory=dict)
    """SHA-256 in hexadecimal of what is not kept itself, by what it was."""
    details: dict[str, str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditRow:
    """A row of the log. Without a seal it waits for one."""

    entry: AuditEntry
    at: datetime
    seal: int | None = None
    place: int | None = None


@dataclass(frozen=True)
class SealBody:
    """What is signed: a link of the chain of a workspace."""

    installation: str
    workspace: str
    number: int
    """1, 2, 3 ... without a hole."""
    previous: str
    """Digest of the seal before; of the first one, 64 zeros."""
    rows: int
    root: str
    """Digest over the digests of its rows, in their order."""
    sealed_at: datetime
    server: str
    """Which database wrote it: another one after a restore."""
    key_id: str


@dataclass(frozen=True)
class Seal:
    """A link of the chain as it is kept."""

    body: SealBody
    digest: str
    signature: str
    dropped_at: datetime | None = None
    """When its rows were dropped."""


@dataclass(frozen=True)
class Ahead:
    """What the next seal of a workspace goes on from: the seal before, and the rows that it covers."""

    former: Seal | None
    rows: tuple[AuditRow, ...]
    at: datetime
    """By the database's clock."""
    server: str


@dataclass(frozen=True)
class AuditKey:
    """A key that seals were signed with."""

    key_id: str
    public_key: str
    """32 bytes in hexadecimal."""
    since: datetime
