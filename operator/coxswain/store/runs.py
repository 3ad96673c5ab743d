"""Rows of runs, one per attempt, as the operator writes and everybody reads them.

The row stands before the pod is made; it decides which pod may work. Everything that changes a row
here is called through ``leadership.fenced``. What the pod itself changes is in ``claims`` and
``reports``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from coxswain.api.contract import RunDocument, RunResult
from coxswain.api.records import NewRun as NewRun
from coxswain.api.records import Run as Run
from coxswain.api.records import RunKey as RunKey
from coxswain.errors import ConflictError, CoxswainError
from coxswain.store.leases import of_runs, telling
from coxswain.store.leases.of_runs import Ended, Tokens
from coxswain.store.leases.telling import Change
from coxswain.store.pool import Connection

SUPERSEDED = "Superseded"
"""Why a run is closed whose Job has gone on to a later attempt."""


class Closing(NamedTuple):
    """A run to close, why, and whether that was found in the knowledge of its result."""

    key: RunKey
    reason: str
    knows_result: bool
    is_gone: bool = True
    """Whether its pod is known not to act any more; else its leases are Quarantined."""


class Unmirrored(NamedTuple):
    """A Job of which the records hold a run, and no object."""

    job_uid: str
    workspace: str
    job_name: str


async def open_run(connection: Connection, new: NewRun) -> Run:
    """Write the row of an attempt, or return the one that stands; see ``open_runs``."""
    (answer,) = await open_runs(connection, [new])
    if isinstance(answer, ConflictError):
        raise answer
    return answer


async def open_runs(connection: Connection, batch: Sequence[NewRun]) -> list[Run | ConflictError]:
    """Write the rows of many attempts, or return those that stand, each in its place.

    A token is larger than every earlier one of its Job, over restores of either side too.
    ConflictError: the attempt stands with another pod's name, or a lease that it needs is not to be
    had, and then nothing of it is written.
    """
    superseded = await _supersede(connection, [new for new in batch if new.key.attempt > 1])
    wanting = [new for new in batch if new.leases]
    standing = await states(connection, [new.key for new in wanting])
    # A row that was claimed or closed gets no lease any more.
    open_ones = [new for new in wanting if _is_new(standing.get(new.key))]
    taken = await of_runs.take(connection, open_ones)
    answers = taken.answers.items()
    refused = {key: answer for key, answer in answers if isinstance(answer, ConflictError)}
    given = {key: answer for key, answer in answers if not isinstance(answer, ConflictError)}
    standing = await _insert(connection, [new for new in batch if new.key not in refused], given)
    standing |= await states(connection, [new.key for new in batch if new.key not in standing])
    await telling.tell(connection, [*superseded, *taken.changes])
    return [refused.get(new.key) or _opened(new, standing.get(new.key)) for new in batch]


def _is_new(standing: Run | None) -> bool:
    return standing is None or (standing.pod_uid is None and standing.closed_at is None)


async def _insert(
    connection: Connection, batch: Sequence[NewRun], leases: Mapping[RunKey, Tokens]
) -> dict[RunKey, Run]:
    """Write rows; those that were written or given leases anew come back."""
    # A Job's rows are never deleted, so max(token) counts on. A repeat inserts nothing; its leases
    # may have been given anew.
    rows = await connection.fetch(
        "INSERT INTO runs AS standing (job_uid, attempt, workspace, job_name, agent_name, pod_name,"
        " service_account, token, document, epoch, leases)"
        " SELECT job_uid, attempt, workspace, job_name, agent_name, pod_name, service_account,"
        " 1 + greatest(last_token, (SELECT max(token) FROM runs WHERE runs.job_uid = wanted.job_uid)),"
        " document, (SELECT epoch FROM leadership), leases"
        " FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[],"
        " $7::text[], $8::bigint[], $9::jsonb[], $10::jsonb[]) AS wanted (job_uid, attempt, workspace,"
        " job_name, agent_name, pod_name, service_account, last_token, document, leases)"
        " ON CONFLICT (job_uid, attempt) DO UPDATE SET leases = excluded.leases"
        " WHERE standing.leases <> excluded.leases AND standing.pod_uid IS NULL"
        " AND standing.closed_at IS NULL AND standing.pod_name = excluded.pod_name"
        " RETURNING standing.*",
        [new.key.job_uid for new in batch],
        [new.key.attempt for new in batch],
        [new.workspace for new in batch],
        [new.job_name for new in batch],
        [new.agent_name for new in batch],
        [new.pod_name for new in batch],
        [new.service_account for new in batch],
        [new.last_token for new in batch],
        [new.document.to_wire() for new in batch],
        [leases.get(new.key, {}) for new in batch],
    )
    return _by_key(rows)


def _opened(new: NewRun, standing: Run | None) -> Run | ConflictError:
    if standing is not None and standing.pod_name == new.pod_name:
        return standing
    return ConflictError(
        f"attempt {new.key.attempt} of Job {new.key.job_uid} stands with another pod"
    )


async def rewrite(connection: Connection, new: NewRun, *, token: int, pod_uid: str | None) -> Run:
    """Write the lost row of a live pod again, from what the Job's status kept.

    A row that stands is left as it is. With ``pod_uid`` the row counts as claimed by that pod. Nobody
    knows what tokens its leases had: 0, which none ever has, lets it write nothing under them.
    """
    await telling.tell(connection, await _supersede(connection, [new]))
    # Acts of the lost row are unknown; last_seq starts again, repeats are harmless.
    await connection.execute(
        "INSERT INTO runs (job_uid, attempt, workspace, job_name, agent_name, pod_name,"
        " service_account, token, document, epoch, pod_uid, claimed_at, leases)"
        " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, (SELECT epoch FROM leadership), $10::uuid,"
        " CASE WHEN $10::uuid IS NOT NULL THEN now() END, $11"
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
        dict.fromkeys(new.leases, 0),
    )
    standing = await of(connection, new.key)
    if standing is None:
        raise CoxswainError(f"the row of {new.key} vanished while it was written")
    return standing


async def _supersede(connection: Connection, batch: Sequence[NewRun]) -> list[Change]:
    """Close the rows of all earlier attempts: a larger token is given out in this transaction.

    They are closed already, unless a restore opened them again. Whoever writes for such a run holds
    its row; this waits for that, and whoever comes later finds it closed.
    """
    if not batch:
        return []
    closed = await connection.fetch(
        "UPDATE runs SET closed_at = now(), closed_reason = $3"
        " FROM unnest($1::uuid[], $2::integer[]) AS wanted (job_uid, attempt)"
        " WHERE runs.job_uid = wanted.job_uid AND runs.attempt < wanted.attempt"
        " AND closed_at IS NULL RETURNING runs.job_uid, runs.attempt",
        [new.key.job_uid for new in batch],
        [new.key.attempt for new in batch],
        SUPERSEDED,
    )
    keys = [RunKey(str(row["job_uid"]), row["attempt"]) for row in closed]
    return await of_runs.let_go(connection, [Ended(key, SUPERSEDED, is_gone=False) for key in keys])


async def close_run(
    connection: Connection, key: RunKey, reason: str, *, knows_result: bool
) -> bool:
    """End one run; see ``close_runs``."""
    (is_closed,) = await close_runs(connection, [Closing(key, reason, knows_result)])
    return is_closed


async def close_runs(connection: Connection, batch: Sequence[Closing]) -> list[bool]:
    """End runs: nothing of their pods is served any more; the first reason stays. Leases are let go.

    False: it has a result that the caller does not know of, and stays open.
    """
    closed = await connection.fetch(
        "UPDATE runs SET closed_at = now(), closed_reason = wanted.reason"
        " FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::boolean[])"
        " AS wanted (job_uid, attempt, reason, knows_result)"
        " WHERE runs.job_uid = wanted.job_uid AND runs.attempt = wanted.attempt"
        " AND closed_at IS NULL AND (result IS NULL OR wanted.knows_result)"
        " RETURNING runs.job_uid, runs.attempt, runs.pod_uid IS NOT NULL AS was_claimed",
        [each.key.job_uid for each in batch],
        [each.key.attempt for each in batch],
        [each.reason for each in batch],
        [each.knows_result for each in batch],
    )
    done = {RunKey(str(row["job_uid"]), row["attempt"]): row["was_claimed"] for row in closed}
    # What nobody claimed acts no more, whatever becomes of its pod.
    ended = [
        Ended(each.key, each.reason, each.is_gone or not done[each.key])
        for each in batch
        if each.key in done
    ]
    await telling.tell(connection, await of_runs.let_go(connection, ended))
    left = [each.key for each in batch if each.key not in done]
    if not left:
        return [True] * len(batch)
    # A statement of its own: it sees a result that was posted while the first one waited.
    standing = await states(connection, left)
    is_open = {key for key, run in standing.items() if run.closed_at is None}
    return [each.key not in is_open for each in batch]


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


async def written(connection: Connection, key: RunKey) -> dict[str, Any]:
    """The document of a run as it was written, by whatever version of the operator."""
    document = await connection.fetchval(
        "SELECT document FROM runs WHERE job_uid = $1 AND attempt = $2", key.job_uid, key.attempt
    )
    return dict(document or {})


async def states(connection: Connection, keys: Sequence[RunKey]) -> dict[RunKey, Run]:
    """The rows of many runs in one go; a run without a row is left out."""
    if not keys:
        return {}
    # One index probe per key, whatever the size of the table.
    rows = await connection.fetch(
        "SELECT runs.* FROM unnest($1::uuid[], $2::integer[]) AS wanted (job_uid, attempt)"
        " JOIN runs USING (job_uid, attempt)",
        [key.job_uid for key in keys],
        [key.attempt for key in keys],
    )
    return _by_key(rows)


async def unmirrored(
    connection: Connection, workspaces: Sequence[str] | None = None
) -> tuple[Unmirrored, ...]:
    """The Jobs with an open run, in these workspaces or in all, that the mirror has never held."""
    # The partial index holds open runs only, so this stays small.
    rows = await connection.fetch(
        "SELECT DISTINCT job_uid, workspace, job_name FROM runs WHERE closed_at IS NULL"
        " AND (workspace = ANY ($1::text[]) OR $1 IS NULL)"
        " AND NOT EXISTS (SELECT FROM mirror WHERE mirror.uid = runs.job_uid)",
        list(workspaces) if workspaces is not None else None,
    )
    return tuple(Unmirrored(str(uid), workspace, name) for uid, workspace, name in rows)


def _by_key(rows: Iterable[asyncpg.Record]) -> dict[RunKey, Run]:
    found = [stored(row) for row in rows]
    return {run.key: run for run in found}


def stored(row: asyncpg.Record) -> Run:
    """A row of the table as a Run."""
    key = RunKey(str(row["job_uid"]), row["attempt"])
    try:
        document = RunDocument.of_other_version(row["document"])
        posted = row["result"]
        result = RunResult.of_other_version(posted) if posted is not None else None
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
        leases=row["leases"],
    )


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
