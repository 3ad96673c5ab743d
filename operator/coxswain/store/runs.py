"""Rows of runs, one per attempt, as the operator writes and everybody reads them.

The row stands before the pod is made; it decides which pod may work. Everything that changes a row
here is called through ``leadership.fenced``. What the pod itself changes is in ``claims`` and
``reports``.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from coxswain.api.contract import RunDocument, RunResult
from coxswain.api.records import NewRun as NewRun
from coxswain.api.records import Run as Run
from coxswain.api.records import RunKey as RunKey
from coxswain.errors import ConflictError, CoxswainError
from coxswain.store.pool import Connection


async def open_run(connection: Connection, new: NewRun) -> Run:
    """Write the row of an attempt, or return the one that stands.

    The token is larger than every earlier one of the Job, over restores of either side too.
    Raises ConflictError if the attempt stands with another pod's name.
    """
    # The Job's rows are never deleted, so max(token) counts on; a repeat inserts nothing.
    await connection.execute(
        "INSERT INTO runs (job_uid, attempt, workspace, job_name, agent_name, pod_name,"
        " service_account, token, document, epoch)"
        " SELECT $1, $2, $3, $4, $5, $6, $7,"
        " 1 + greatest($8, (SELECT max(token) FROM runs WHERE job_uid = $1)),"
        " $9, (SELECT epoch FROM leadership)"
        " ON CONFLICT (job_uid, attempt) DO NOTHING",
        new.key.job_uid,
        new.key.attempt,
        new.workspace,
        new.job_name,
        new.agent_name,
        new.pod_name,
        new.service_account,
        new.last_token,
        new.document.to_wire(),
    )
    standing = await of(connection, new.key)
    if standing is None or standing.pod_name != new.pod_name:
        raise ConflictError(
            f"attempt {new.key.attempt} of Job {new.key.job_uid} stands with another pod"
        )
    return standing


async def rewrite(connection: Connection, new: NewRun, *, token: int, pod_uid: str | None) -> Run:
    """Write the lost row of a live pod again, from what the Job's status kept.

    A row that stands is left as it is. With ``pod_uid`` the row counts as claimed by that pod.
    """
    # Acts of the lost row are unknown; last_seq starts again, repeats are harmless.
    await connection.execute(
        "INSERT INTO runs (job_uid, attempt, workspace, job_name, agent_name, pod_name,"
        " service_account, token, document, epoch, pod_uid, claimed_at)"
        " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, (SELECT epoch FROM leadership), $10::uuid,"
        " CASE WHEN $10::uuid IS NOT NULL THEN now() END"
        " ON CONFLICT (job_uid, attempt) DO NOTHING",
        new.key.job_uid,
        new.key.attempt,
        new.workspace,
        new.job_name,
        new.agent_name,
        new.pod_name,
        new.service_account,
        token,
        new.document.to_wire(),
        pod_uid,
    )
    standing = await of(connection, new.key)
    if standing is None:
        raise CoxswainError(f"the row of {new.key} vanished while it was written")
    return standing


async def close_run(
    connection: Connection, key: RunKey, reason: str, *, knows_result: bool
) -> bool:
    """End a run: nothing of its pod is served any more; the first reason stays.

    False: it has a result that the caller does not know of, and stays open.
    """
    closed = await connection.fetchval(
        "UPDATE runs SET closed_at = now(), closed_reason = $3"
        " WHERE job_uid = $1 AND attempt = $2 AND closed_at IS NULL"
        " AND (result IS NULL OR $4) RETURNING true",
        key.job_uid,
        key.attempt,
        reason,
        knows_result,
    )
    if closed is True:
        return True
    # A statement of its own: it sees a result that was posted while the first one waited.
    stands = await connection.fetchval(
        "SELECT true FROM runs WHERE job_uid = $1 AND attempt = $2 AND closed_at IS NULL",
        key.job_uid,
        key.attempt,
    )
    return stands is not True


async def request_cancel(connection: Connection, key: RunKey) -> bool:
    """Ask the pod to end: its next heartbeat says so. False: nothing there to ask."""
    asked = await connection.fetchval(
        "UPDATE runs SET cancel_requested = true"
        " WHERE job_uid = $1 AND attempt = $2 AND closed_at IS NULL RETURNING true",
        key.job_uid,
        key.attempt,
    )
    return asked is True


async def of(connection: Connection, key: RunKey) -> Run | None:
    """The row of one run."""
    row = await connection.fetchrow(
        "SELECT * FROM runs WHERE job_uid = $1 AND attempt = $2", key.job_uid, key.attempt
    )
    return stored(row) if row is not None else None


async def states(connection: Connection, keys: Sequence[RunKey]) -> dict[RunKey, Run]:
    """The rows of many runs in one go; a run without a row is left out."""
    # One index probe per key, whatever the size of the table.
    rows = await connection.fetch(
        "SELECT runs.* FROM unnest($1::uuid[], $2::integer[]) AS wanted (job_uid, attempt)"
        " JOIN runs USING (job_uid, attempt)",
        [key.job_uid for key in keys],
        [key.attempt for key in keys],
    )
    found = [stored(row) for row in rows]
    return {run.key: run for run in found}


async def still_open(connection: Connection, kept: Sequence[str]) -> tuple[RunKey, ...]:
    """Open runs of Jobs that are not among ``kept``: what a sweep has to look at."""
    # The partial index holds open runs only, so this stays small.
    rows = await connection.fetch(
        "SELECT job_uid, attempt FROM runs"
        " WHERE closed_at IS NULL AND job_uid <> ALL ($1::uuid[]) LIMIT 1000",
        list(kept),
    )
    return tuple(RunKey(str(row["job_uid"]), row["attempt"]) for row in rows)


def stored(row: asyncpg.Record) -> Run:
    """A row of the table as a Run."""
    key = RunKey(str(row["job_uid"]), row["attempt"])
    try:
        document = RunDocument.model_validate(row["document"])
        result = RunResult.model_validate(row["result"]) if row["result"] is not None else None
    except ValidationError as error:
        raise CoxswainError(f"the row of {key} is not of this version") from error
    return Run(
        key=key,
        workspace=row["workspace"],
        job_name=row["job_name"],
        agent_name=row["agent_name"],
        pod_name=row["pod_name"],
        service_account=row["service_account"],
        token=row["token"],
        document=document,
        pod_uid=_text(row["pod_uid"]),
        claimed_at=row["claimed_at"],
        heartbeat_at=row["heartbeat_at"],
        last_seq=row["last_seq"],
        highest_seq=row["highest_seq"],
        acts_open=row["acts_open"],
        result=result,
        result_at=row["result_at"],
        cancel_requested=row["cancel_requested"],
        closed_at=row["closed_at"],
        closed_reason=row["closed_reason"],
    )


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
