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


async def of_job(connection: Connection, job_uid: str) -> Sequence[Call]:
    """The calls of a Job, in their order."""
    rows = await connection.fetch(
        "SELECT id, workspace, agent_name, job_uid::text, attempt, alias, provider, model,"
        " milliseconds, streamed, outcome, input_tokens, output_tokens"
        " FROM usage WHERE job_uid = $1 ORDER BY at, id",
        job_uid,
    )
    return [Call(**dict(row)) for row in rows]
