"""The mirror of our objects: what the API lists, and what a vanished object looked like last.

The operator writes it after each status write, an object and its events in one transaction, through
``leadership.fenced``. The mirror never goes back to an older resourceVersion.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from coxswain.api.records import ObjectRow as ObjectRow
from coxswain.api.records import RunKey
from coxswain.errors import UserError
from coxswain.store import events
from coxswain.store.leases import keeping, of_runs, telling
from coxswain.store.leases.of_runs import Ended
from coxswain.store.pool import Connection

PAGE = 500


@dataclass(frozen=True)
class Query:
    """Which objects to list, newest first. None takes all."""

    kind: str
    workspaces: Collection[str] | None = None
    phase: str | None = None
    agent: str | None = None
    queue: str | None = None


@dataclass(frozen=True)
class Cursor:
    """Where the former page ended."""

    created_at: datetime
    uid: str


@dataclass(frozen=True)
class Page:
    """A page of objects; ``next`` is None on the last one."""

    objects: tuple[ObjectRow, ...]
    next: Cursor | None


async def write(
    connection: Connection, objects: Sequence[ObjectRow], happened: Sequence[events.Event]
) -> None:
    """Keep these objects and append their events, all or nothing."""
    newest: dict[str, ObjectRow] = {}
    for each in objects:
        former = newest.get(each.uid)
        if former is None or int(former.resource_version) <= int(each.resource_version):
            newest[each.uid] = each
    if newest:
        await _upsert(connection, sorted(newest.values(), key=lambda each: each.uid))
    if happened:
        await events.append(connection, happened)


async def live(
    connection: Connection, kind: str, workspaces: Sequence[str] | None = None
) -> dict[str, str]:
    """The uid and resourceVersion of every object that the mirror takes for living."""
    rows = await connection.fetch(
        "SELECT uid, resource_version FROM mirror WHERE kind = $1 AND deleted_at IS NULL"
        " AND (workspace = ANY ($2::text[]) OR $2 IS NULL)",
        kind,
        list(workspaces) if workspaces is not None else None,
    )
    return {str(row["uid"]): row["resource_version"] for row in rows}


async def last_deleted(connection: Connection, kind: str) -> dict[tuple[str, str], datetime]:
    """When the last object of each workspace and name was found to be deleted."""
    rows = await connection.fetch(
        "SELECT workspace, name, max(deleted_at) AS at FROM mirror"
        " WHERE kind = $1 AND deleted_at IS NOT NULL GROUP BY workspace, name",
        kind,
    )
    return {(row["workspace"], row["name"]): row["at"] for row in rows}


async def mark_deleted(
    connection: Connection, uids: Sequence[str], happened: Sequence[events.Event]
) -> tuple[str, ...]:
    """Record that these objects are gone, close their open runs, let go of leases, append events.

    Returns those of them that were not known to be gone.
    """
    newly = await connection.fetch(
        "UPDATE mirror SET deleted_at = now() WHERE uid = ANY ($1::uuid[]) AND deleted_at IS NULL"
        " RETURNING uid",
        list(uids),
    )
    # Their pods go with them; until they are gone they are served nothing.
    closed = await connection.fetch(
        "UPDATE runs SET closed_at = now(), closed_reason = 'Deleted'"
        " WHERE job_uid = ANY ($1::uuid[]) AND closed_at IS NULL RETURNING job_uid, attempt, pod_uid",
        list(uids),
    )
    ended = [
        Ended(RunKey(str(row["job_uid"]), row["attempt"]), "Deleted", row["pod_uid"] is None)
        for row in closed
    ]
    changes = await of_runs.let_go(connection, ended)
    changes += await keeping.remove(connection, [str(row["uid"]) for row in newly])
    await telling.tell(connection, changes)
    if happened:
        await events.append(connection, happened)
    return tuple(str(row["uid"]) for row in newly)


async def get(connection: Connection, kind: str, workspace: str, name: str) -> ObjectRow | None:
    """The living object of that name; of two, the newer."""
    row = await connection.fetchrow(
        "SELECT * FROM mirror WHERE kind = $1 AND workspace = $2 AND name = $3"
        " AND deleted_at IS NULL ORDER BY created_at DESC, uid DESC LIMIT 1",
        kind,
        workspace,
        name,
    )
    return stored(row) if row is not None else None


async def last(connection: Connection, kind: str, workspace: str, name: str) -> ObjectRow | None:
    """The object of that name, also after it is gone: records outlive objects."""
    row = await connection.fetchrow(
        "SELECT * FROM mirror WHERE kind = $1 AND workspace = $2 AND name = $3"
        " ORDER BY deleted_at IS NOT NULL, created_at DESC, uid DESC LIMIT 1",
        kind,
        workspace,
        name,
    )
    return stored(row) if row is not None else None


async def by_uid(connection: Connection, uid: str) -> ObjectRow | None:
    """An object by its uid, also after it is gone."""
    row = await connection.fetchrow("SELECT * FROM mirror WHERE uid = $1", uid)
    return stored(row) if row is not None else None


async def page(
    connection: Connection, query: Query, after: Cursor | None = None, *, limit: int = PAGE
) -> Page:
    """List living objects, newest first, from where the former page ended."""
    # One row more tells whether more come.
    rows = await connection.fetch(
        page_statement(query),
        query.kind,
        list(query.workspaces) if query.workspaces is not None else None,
        query.phase,
        query.agent,
        after.created_at if after is not None else None,
        after.uid if after is not None else None,
        limit + 1,
        *((query.queue,) if query.queue is not None else ()),
    )
    objects = tuple(stored(row) for row in rows[:limit])
    more = len(rows) > limit
    return Page(objects, Cursor(objects[-1].created_at, objects[-1].uid) if more else None)


def page_statement(query: Query) -> str:
    """The statement of a page. Indexes over kind, and kind and queue, give the order."""
    # A queue is asked for in a statement of its own: "or none" would keep its index from being used.
    in_queue = " AND queue = $8" if query.queue is not None else ""
    return (
        "SELECT * FROM mirror WHERE kind = $1 AND deleted_at IS NULL"  # noqa: S608 - fixed text
        " AND (workspace = ANY ($2::text[]) OR $2 IS NULL) AND (phase = $3 OR $3 IS NULL)"
        " AND (object #>> '{spec,agentRef,name}' = $4 OR $4 IS NULL)"
        " AND ((created_at, uid) < ($5::timestamptz, $6::uuid) OR $5 IS NULL)"
        f"{in_queue} ORDER BY created_at DESC, uid DESC LIMIT $7"
    )


async def _upsert(connection: Connection, objects: Sequence[ObjectRow]) -> None:
    if any(not each.resource_version.isdecimal() for each in objects):
        raise UserError("a resourceVersion is a number", field="metadata.resourceVersion")
    # Rows come sorted by uid, so two batches lock in one order; an older version changes nothing.
    await connection.execute(
        "INSERT INTO mirror AS standing (uid, kind, workspace, name, generation, resource_version,"
        " phase, created_at, object)"
        " SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[],"
        " $6::text[], $7::text[], $8::timestamptz[], $9::jsonb[])"
        " ON CONFLICT (uid) DO UPDATE SET generation = excluded.generation,"
        " resource_version = excluded.resource_version, phase = excluded.phase,"
        " object = excluded.object, recorded_at = now()"
        " WHERE standing.resource_version::numeric < excluded.resource_version::numeric",
        [each.uid for each in objects],
        [each.kind for each in objects],
        [each.workspace for each in objects],
        [each.name for each in objects],
        [each.generation for each in objects],
        [each.resource_version for each in objects],
        [each.phase for each in objects],
        [each.created_at for each in objects],
        [each.body for each in objects],
    )


def stored(row: asyncpg.Record) -> ObjectRow:
    """A row of the table as an object."""
    return ObjectRow(
        uid=str(row["uid"]),
        kind=row["kind"],
        workspace=row["workspace"],
        name=row["name"],
        generation=row["generation"],
        resource_version=row["resource_version"],
        phase=row["phase"],
        created_at=row["created_at"],
        body=row["object"],
        deleted_at=row["deleted_at"],
    )
