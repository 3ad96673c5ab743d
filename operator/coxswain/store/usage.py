"""What model calls used: one row per call, written once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from coxswain.store.pool import Connection


@dataclass(frozen=True)
class Call:
    """One model call. ``outcome`` is ok or the code of its failure."""

    id: UUID
    workspace: str
    agent_name: str
    job_uid: str
    attempt: int
    alias: str
    provider: str
    model: str
    milliseconds: int
    streamed: bool
    outcome: str
    input_tokens: int = 0
    output_tokens: int = 0


async def record(connection: Connection, call: Call) -> None:
    """Keep the row of a call; the same id again is harmless."""
    await connection.execute(
        "INSERT INTO usage (id, workspace, agent_name, job_uid, attempt, alias, provider, model,"
        " milliseconds, streamed, outcome, input_tokens, output_tokens)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        " ON CONFLICT (id) DO NOTHING",
        call.id,
        call.workspace,
        call.agent_name,
        call.job_uid,
        call.attempt,
        call.alias,
        call.provider,
        call.model,
        call.milliseconds,
        call.streamed,
        call.outcome,
        call.input_tokens,
        call.output_tokens,
    )


@dataclass(frozen=True)
class Sums:
    """What model calls came to together."""

    calls: int
    failed: int
    input_tokens: int
    output_tokens: int


async def lately(connection: Connection, seconds: int, workspaces: frozenset[str] | None) -> Sums:
    """The calls of the last seconds in these workspaces, or in all."""
    # The index is over workspace and time; workspaces with Agents are few.
    row = await connection.fetchrow(
        "SELECT count(*) AS calls, count(*) FILTER (WHERE outcome <> 'ok') AS failed,"
        " coalesce(sum(input_tokens), 0)::bigint AS input_tokens,"
        " coalesce(sum(output_tokens), 0)::bigint AS output_tokens"
        " FROM (SELECT DISTINCT workspace FROM mirror WHERE kind = 'Agent'"
        " AND (workspace = ANY ($2::text[]) OR $2 IS NULL)) AS places JOIN usage USING (workspace)"
        " WHERE at >= now() - make_interval(secs => $1)",
        float(seconds),
        None if workspaces is None else list(workspaces),
    )
    if row is None:
        raise AssertionError("a sum without groups has one row")
    return Sums(**dict(row))


async def of_job(connection: Connection, job_uid: str) -> Sequence[Call]:
    """The calls of a Job, in their order."""
    rows = await connection.fetch(
        "SELECT id, workspace, agent_name, job_uid::text, attempt, alias, provider, model,"
        " milliseconds, streamed, outcome, input_tokens, output_tokens"
        " FROM usage WHERE job_uid = $1 ORDER BY at, id",
        job_uid,
    )
    return [Call(**dict(row)) for row in rows]
