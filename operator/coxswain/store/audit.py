"""The audit log: rows are written once and never changed; people read them by time, actor and object.

The seals over them are in ``audit_seals``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from coxswain.api.audit import Actor, AuditEntry, AuditKey, AuditRow, Object, Outcome
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

COLUMNS = (
    "id, at, workspace, actor_kind, actor_name, action, outcome, begun_by, object_kind,"
    " object_name, object_uid, reason, request_id, hashes, details, seal, place"
)
PAGE = 200


@dataclass(frozen=True)
class Query:
    """Which rows. None takes all."""

    workspace: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """The first instant that is not meant."""
    actor_kind: str | None = None
    actor_name: str | None = None
    object_kind: str | None = None
    object_name: str | None = None
    object_uid: str | None = None
    action: str | None = None
    outcome: Outcome | None = None

    @property
    def is_open(self) -> bool:
        """Whether every row of every workspace is meant."""
        return self == Query()

    def arguments(self) -> tuple[Any, ...]:
        """What CONDITION takes, in its order."""
        return (
            self.workspace,
            self.since,
            self.until,
            self.actor_kind,
            self.actor_name,
            self.object_kind,
            self.object_name,
            self.object_uid,
            self.action,
            self.outcome,
        )


CONDITION = (
    "(workspace = $1 OR $1 IS NULL) AND (at >= $2 OR $2 IS NULL) AND (at < $3 OR $3 IS NULL)"
    " AND (actor_kind = $4 OR $4 IS NULL) AND (actor_name = $5 OR $5 IS NULL)"
    " AND (object_kind = $6 OR $6 IS NULL) AND (object_name = $7 OR $7 IS NULL)"
    " AND (object_uid = $8 OR $8 IS NULL) AND (action = $9 OR $9 IS NULL)"
    " AND (outcome = $10 OR $10 IS NULL)"
)


@dataclass(frozen=True)
class Cursor:
    """Where the former page ended."""

    at: datetime
    id: UUID


@dataclass(frozen=True)
class Page:
    """A page of rows; ``next`` is None on the last one."""

    rows: tuple[AuditRow, ...]
    next: Cursor | None


async def write(connection: Connection, entry: AuditEntry) -> None:
    """Write a row; the same again is harmless."""
    await connection.execute(
        "INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, begun_by,"
        " object_kind, object_name, object_uid, reason, request_id, hashes, details)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        " ON CONFLICT (id) DO NOTHING",
        entry.id,
        entry.workspace,
        entry.actor.kind,
        entry.actor.name,
        entry.action,
        entry.outcome,
        entry.begun_by,
        entry.object.kind,
        entry.object.name,
        entry.object.uid,
        entry.reason,
        entry.request_id,
        entry.hashes,
        entry.details,
    )
    metrics.AUDIT_ROWS.labels(outcome=entry.outcome.value).inc()


async def write_refusals(
    connection: Connection, id_: UUID, details: Mapping[str, str | int | bool | None]
) -> None:
    """Write how many strangers were refused, and why; the same again is harmless. For gateways."""
    await connection.execute("SELECT audit_refusals($1, $2)", id_, dict(details))
    metrics.AUDIT_ROWS.labels(outcome=Outcome.DENIED.value).inc()


async def page(
    connection: Connection, query: Query, after: Cursor | None = None, *, limit: int = PAGE
) -> Page:
    """List rows, newest first, from where the former page ended."""
    # An index leads along the time; one row more tells whether more come.
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM audit WHERE {CONDITION}"  # noqa: S608 - constants
        " AND ((at, id) < ($11::timestamptz, $12::uuid) OR $11 IS NULL)"
        " ORDER BY at DESC, id DESC LIMIT $13",
        *query.arguments(),
        after.at if after is not None else None,
        after.id if after is not None else None,
        limit + 1,
    )
    found = tuple(stored(row) for row in rows[:limit])
    return Page(found, Cursor(found[-1].at, found[-1].entry.id) if len(rows) > limit else None)


async def keys(connection: Connection) -> Sequence[AuditKey]:
    """The public keys that seals were signed with, oldest first."""
    rows = await connection.fetch(
        "SELECT key_id, public_key, since FROM audit_keys ORDER BY since, key_id"
    )
    return [AuditKey(**dict(row)) for row in rows]


def stored(row: asyncpg.Record) -> AuditRow:
    """A row of COLUMNS as a type."""
    entry = AuditEntry(
        id=UUID(int=row["id"].int),
        action=row["action"],
        outcome=Outcome(row["outcome"]),
        actor=Actor(row["actor_kind"], row["actor_name"]),
        workspace=row["workspace"],
        object=Object(row["object_kind"], row["object_name"], row["object_uid"]),
        begun_by=UUID(int=row["begun_by"].int) if row["begun_by"] is not None else None,
        reason=row["reason"],
        request_id=row["request_id"],
        hashes=row["hashes"],
        details=row["details"],
    )
    return AuditRow(entry, row["at"], row["seal"], row["place"])
