"""Jobs in numbers, from the mirror and the event log: where they are, what they wait for, how they ended.

``workspaces`` are those that are counted; None: all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from coxswain.api.event_types.job import ATTEMPT_ENDED
from coxswain.store.pool import Connection

OTHER = "other"
Workspaces = frozenset[str] | None


@dataclass(frozen=True)
class Held:
    """How many Jobs wait for a condition, and how long the first of them has."""

    jobs: int
    oldest_seconds: float


@dataclass(frozen=True)
class Happened:
    """How many events there were: of the types that were asked for, and in all."""

    of_type: Mapping[str, int]
    attempts: Mapping[str, int]
    """Attempts that ended, by outcome."""
    events: int


async def now(connection: Connection) -> datetime:
    """The instant of this transaction, which all that is counted in it goes by."""
    at: datetime = await connection.fetchval("SELECT now()")
    return at


async def by_phase(connection: Connection, workspaces: Workspaces) -> dict[str, int]:
    """How many living Jobs are in each phase; one that no operator has looked at is Queued."""
    rows = await connection.fetch(
        "SELECT coalesce(nullif(phase, ''), 'Queued') AS phase, count(*) AS jobs FROM mirror"
        " WHERE kind = 'Job' AND deleted_at IS NULL AND (workspace = ANY ($1::text[]) OR $1 IS NULL)"
        " GROUP BY 1",
        _listed(workspaces),
    )
    return {row["phase"]: row["jobs"] for row in rows}


async def held_back(
    connection: Connection,
    holds: Mapping[str, str],
    wishes: Mapping[str, str],
    workspaces: Workspaces,
) -> dict[str, Held]:
    """The conditions that Queued Jobs wait for: the first of each whose status is the one in ``holds``.

    One whose reason is in ``wishes`` counts as the condition that stands there.
    """
    rows = await connection.fetch(
        "SELECT coalesce($3::jsonb ->> first.reason, first.type) AS condition, count(*) AS jobs,"
        " extract(epoch FROM now() - min(first.since))::float8 AS seconds"
        " FROM mirror CROSS JOIN LATERAL ("
        " SELECT each.value ->> 'type' AS type, each.value ->> 'reason' AS reason,"
        " (each.value ->> 'lastTransitionTime')::timestamptz AS since"
        " FROM jsonb_array_elements(object #> '{status,conditions}') WITH ORDINALITY"
        " AS each (value, place)"
        " WHERE $2::jsonb ->> (each.value ->> 'type') = each.value ->> 'status'"
        " ORDER BY each.place LIMIT 1) AS first"
        " WHERE kind = 'Job' AND deleted_at IS NULL AND phase = 'Queued'"
        " AND (workspace = ANY ($1::text[]) OR $1 IS NULL) GROUP BY 1",
        _listed(workspaces),
        dict(holds),
        dict(wishes),
    )
    return {row["condition"]: Held(row["jobs"], max(0.0, row["seconds"])) for row in rows}


async def happened(
    connection: Connection, types: frozenset[str], seconds: int, workspaces: Workspaces
) -> Happened:
    """What the log has of the last seconds, by the times inside its ids."""
    # Ids are in the order of time: this reads the last part of their index, and no older partition.
    rows = await connection.fetch(
        "SELECT CASE WHEN type = ANY ($1::text[]) THEN type ELSE $2 END AS type,"
        " CASE WHEN type = $3 THEN details ->> 'outcome' END AS outcome, count(*) AS events"
        " FROM events WHERE id >= event_bound(now() - make_interval(secs => $4))"
        " AND (workspace = ANY ($5::text[]) OR $5 IS NULL) GROUP BY 1, 2",
        [*types],
        OTHER,
        ATTEMPT_ENDED.name,
        float(seconds),
        _listed(workspaces),
    )
    of_type, attempts = dict.fromkeys(types, 0), dict[str, int]()
    for row in rows:
        if row["outcome"] is not None:
            attempts[row["outcome"]] = attempts.get(row["outcome"], 0) + row["events"]
        if row["type"] in of_type:
            of_type[row["type"]] += row["events"]
    return Happened(of_type, attempts, sum(row["events"] for row in rows))


def _listed(workspaces: Workspaces) -> list[str] | None:
    return None if workspaces is None else list(workspaces)
