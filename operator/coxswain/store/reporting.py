"""The numbers of one workspace over a time: counts only, no names but those of Agents and models."""

from dataclasses import dataclass
from datetime import datetime

from coxswain.store.pool import Connection


@dataclass(frozen=True)
class ModelCalls:
    """What one model was asked."""

    model: str
    calls: int
    failed: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Numbers:
    """All of them, from ``since`` to ``until`` by the database's clock."""

    since: datetime
    until: datetime
    jobs: dict[str, int]
    attempts: dict[str, int]
    agents: dict[str, int]
    models: tuple[ModelCalls, ...]


async def of_workspace(connection: Connection, workspace: str, hours: int) -> Numbers:
    """Count what began in the last hours. Read in one transaction, so that the parts agree."""
    span = await connection.fetchrow(
        "SELECT now() - make_interval(hours => $1) AS since, now() AS until", hours
    )
    if span is None:
        raise AssertionError("a SELECT without FROM has one row")
    since = span["since"]
    jobs = await connection.fetch(
        "SELECT coalesce(nullif(phase, ''), 'Queued') AS name, count(*) AS count FROM mirror"
        " WHERE kind = 'Job' AND workspace = $1 AND created_at >= $2 GROUP BY 1",
        workspace,
        since,
    )
    # A verdict is written as Outcome/Reason; a run without one is under way.
    attempts = await connection.fetch(
        "SELECT coalesce(closed_reason, 'Open') AS name, count(*) AS count FROM runs"
        " WHERE workspace = $1 AND created_at >= $2 GROUP BY 1",
        workspace,
        since,
    )
    agents = await connection.fetch(
        "SELECT agent_name AS name, count(*) AS count FROM runs"
        " WHERE workspace = $1 AND created_at >= $2 GROUP BY 1",
        workspace,
        since,
    )
    models = await connection.fetch(
        "SELECT provider || '/' || model AS model, count(*) AS calls,"
        " count(*) FILTER (WHERE outcome <> 'ok') AS failed,"
        " sum(input_tokens)::bigint AS input_tokens, sum(output_tokens)::bigint AS output_tokens"
        " FROM usage WHERE workspace = $1 AND at >= $2 GROUP BY 1 ORDER BY 1",
        workspace,
        since,
    )
    counted = [{row["name"]: row["count"] for row in rows} for rows in (jobs, attempts, agents)]
    return Numbers(
        since,
        span["until"],
        counted[0],
        counted[1],
        counted[2],
        tuple(ModelCalls(**dict(row)) for row in models),
    )
