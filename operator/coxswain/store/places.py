"""The Jobs that wait for slots and those that run, as the mirror knows them: what a place is told by."""

from dataclasses import dataclass

import asyncpg

from coxswain import names
from coxswain.rules import fairness
from coxswain.rules.fairness import Place, Slot, Waiting
from coxswain.store.pool import Connection


@dataclass(frozen=True)
class Among:
    """Whom to count. None takes all."""

    workspace: str | None = None
    agent: str | None = None
    queue: str | None = None


@dataclass(frozen=True)
class Line:
    """Who waits for a slot, in no order, and who has one."""

    waiting: tuple[Waiting, ...]
    running: tuple[Slot, ...]


async def read(connection: Connection, among: Among) -> Line:
    """The Jobs that say that they wait for a slot, and those that run."""
    # The index over what has not ended finds them; a Job that waits for something else is in no line.
    rows = await connection.fetch(
        "SELECT uid, workspace, queue, created_at, phase, object #>> '{spec,agentRef,name}' AS agent,"
        " object #>> $4 AS owner, coalesce((object #>> '{spec,priority}')::integer, 0) AS priority"
        " FROM mirror WHERE kind = 'Job' AND deleted_at IS NULL AND phase IN ('Queued', 'Running')"
        " AND (workspace = $1 OR $1 IS NULL) AND (queue = $2 OR $2 IS NULL)"
        " AND (object #>> '{spec,agentRef,name}' = $3 OR $3 IS NULL)"
        " AND (phase = 'Running' OR object @>"
        ' \'{"status": {"conditions": [{"type": "QuotaReserved", "status": "False"}]}}\')',
        among.workspace,
        among.queue,
        among.agent,
        ["metadata", "labels", names.LABEL_OWNER],
    )
    return Line(
        waiting=tuple(_waiting(row) for row in rows if row["phase"] == "Queued"),
        running=tuple(_slot(row) for row in rows if row["phase"] == "Running"),
    )


def _waiting(row: asyncpg.Record) -> Waiting:
    place = Place(-row["priority"], row["created_at"].isoformat(), str(row["uid"]))
    return Waiting(place, _slot(row))


def _slot(row: asyncpg.Record) -> Slot:
    return fairness.slot(row["workspace"], row["agent"] or "", row["queue"], row["owner"])
