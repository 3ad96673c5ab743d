"""The model gateway's word on the models of each Agent; the operator shows it as ModelReady."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from coxswain.store import wakes
from coxswain.store.pool import Connection

PAGE = 1000


@dataclass(frozen=True)
class Verdict:
    """Whether an Agent's models can be called, as of one generation of its spec."""

    agent_uid: str
    workspace: str
    agent_name: str
    generation: int
    ready: bool
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Unsettled:
    """An Agent whose models must be judged; ``body`` is the whole object."""

    agent_uid: str
    workspace: str
    agent_name: str
    generation: int
    body: dict[str, Any]


async def unsettled(connection: Connection, *, limit: int = PAGE) -> tuple[Unsettled, ...]:
    """Living Agents without a verdict on their generation, and those that are not ready."""
    # New ones first, so that many that stay unready cannot keep them waiting.
    rows = await connection.fetch(
        "SELECT mirror.uid, mirror.workspace, mirror.name, mirror.generation, mirror.object"
        " FROM mirror LEFT JOIN verdicts ON verdicts.agent_uid = mirror.uid"
        " WHERE mirror.kind = 'Agent' AND mirror.deleted_at IS NULL"
        " AND (verdicts.agent_uid IS NULL OR verdicts.generation < mirror.generation"
        " OR NOT verdicts.ready)"
        " ORDER BY (verdicts.generation = mirror.generation) NULLS FIRST, mirror.created_at"
        " LIMIT $1",
        limit,
    )
    return tuple(_unsettled(row) for row in rows)


async def one(connection: Connection, agent_uid: str) -> Unsettled | None:
    """One living Agent, whatever verdict stands."""
    row = await connection.fetchrow(
        "SELECT uid, workspace, name, generation, object FROM mirror"
        " WHERE uid = $1 AND kind = 'Agent' AND deleted_at IS NULL",
        agent_uid,
    )
    return _unsettled(row) if row is not None else None


async def put(connection: Connection, verdict: Verdict) -> bool:
    """Keep a verdict; if it says something new, wake the operator and return True.

    A verdict on an older generation than the standing one is dropped.
    """
    # Nothing is returned where nothing changes, so the same verdict again wakes nobody.
    new = await connection.fetchval(
        "INSERT INTO verdicts AS standing (agent_uid, workspace, agent_name, generation, ready,"
        " reason, message) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (agent_uid) DO UPDATE SET generation = excluded.generation,"
        " ready = excluded.ready, reason = excluded.reason, message = excluded.message,"
        " checked_at = now()"
        " WHERE standing.generation <= excluded.generation"
        " AND (standing.generation, standing.ready, standing.reason, standing.message)"
        " IS DISTINCT FROM"
        " (excluded.generation, excluded.ready, excluded.reason, excluded.message)"
        " RETURNING true",
        verdict.agent_uid,
        verdict.workspace,
        verdict.agent_name,
        verdict.generation,
        verdict.ready,
        verdict.reason,
        verdict.message,
    )
    if new is None:
        return False
    await wakes.add(connection, "Agent", verdict.workspace, verdict.agent_name)
    return True


async def of(connection: Connection, agent_uids: Sequence[str]) -> dict[str, Verdict]:
    """The standing verdicts on these Agents, by uid."""
    rows = await connection.fetch(
        "SELECT agent_uid::text, workspace, agent_name, generation, ready, reason, message"
        " FROM verdicts WHERE agent_uid = ANY ($1::uuid[])",
        list(agent_uids),
    )
    return {row["agent_uid"]: Verdict(**dict(row)) for row in rows}


def _unsettled(row: asyncpg.Record) -> Unsettled:
    return Unsettled(
        str(row["uid"]), row["workspace"], row["name"], row["generation"], row["object"]
    )
