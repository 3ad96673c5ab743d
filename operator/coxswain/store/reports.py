"""What a running pod reports: events, acts, its one result. A run that is over takes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from coxswain.api.contract import RunEvent, RunResult
from coxswain.api.event_types.door import RUN_RESULT, RunEnded
from coxswain.errors import ConflictError, UserError
from coxswain.store import artifacts, claims, events
from coxswain.store.pool import Connection
from coxswain.store.runs import Run

RESULT_DIFFERS = "result_differs"
ARTIFACT_MISSING = "artifact_missing"
ACTS_OPEN = 100


@dataclass(frozen=True)
class Reported:
    """What a batch came to; ``last_seq`` has no hole before it."""

    accepted: int
    duplicates: int
    last_seq: int
    position: int


async def append_run_events(
    connection: Connection, pod_uid: str, batch: Sequence[RunEvent]
) -> Reported:
    """Append a batch of the pod's own events; repeats are harmless.

    Raises ConflictError run_closed, UserError event_time.
    """
    run = await claims.held(connection, pod_uid)
    given = [_event(run, event) for event in batch]
    highest = max(run.highest_seq, *(event.seq for event in batch))
    last_seq = _without_hole(run, batch)
    if last_seq is not None:
        await _count(connection, run, last_seq, highest)
    # Last, where it can be: from here on the head of the log is locked.
    appended = await events.append(connection, given, windowed=True)
    if last_seq is None:
        last_seq = await _before_hole(connection, run)
        await _count(connection, run, last_seq, highest)
    return Reported(
        accepted=appended.accepted,
        duplicates=len(batch) - appended.accepted,
        last_seq=last_seq,
        position=appended.last_position,
    )


async def begin_act(connection: Connection, pod_uid: str, act: UUID, name: str) -> None:
    """Note an act with side effects before it is done; while it is open, a lost pod means unknown.

    Raises UserError too_many_acts, ConflictError run_closed.
    """
    run = await claims.held(connection, pod_uid)
    if str(act) not in run.acts_open and len(run.acts_open) >= ACTS_OPEN:
        raise UserError(f"more than {ACTS_OPEN} acts are open at once", code="too_many_acts")
    await connection.execute(
        "UPDATE runs SET acts_open = acts_open || jsonb_build_object($2::text, $3::text)"
        " WHERE pod_uid = $1",
        pod_uid,
        str(act),
        name,
    )


async def end_act(connection: Connection, pod_uid: str, act: UUID) -> None:
    """Note that the act is done. Raises ConflictError run_closed."""
    await claims.held(connection, pod_uid)
    await connection.execute(
        "UPDATE runs SET acts_open = acts_open - $2::text WHERE pod_uid = $1", pod_uid, str(act)
    )


async def post_result(connection: Connection, pod_uid: str, result: RunResult) -> bool:
    """Keep the one result. False: the same result stood already.

    The operator is not woken: it reads the row when the pod ends, and does nothing before.
    Raises ConflictError result_differs or run_closed, UserError artifact_missing.
    """
    run = await claims.held(connection, pod_uid)
    if run.result is not None:
        if run.result == result:
            return False
        raise ConflictError("the run has another result already", code=RESULT_DIFFERS)
    if absent := await artifacts.missing(connection, run.key, result.artifacts):
        raise UserError(
            f"the run has kept no file '{absent[0]}'; keep it first, or leave it out",
            code=ARTIFACT_MISSING,
            field="artifacts",
        )
    # claims.held has locked the row, so nobody came between.
    at: datetime = await connection.fetchval(
        "UPDATE runs SET result = $2, result_at = now() WHERE pod_uid = $1 RETURNING result_at",
        pod_uid,
        result.to_wire(),
    )
    # The answer itself may be large; it stands in the row.
    shown = RunEnded.of_other_version(result.model_dump(mode="json"))
    await events.append(connection, [claims.event_of(run, RUN_RESULT, shown, at)])
    return True


def _event(run: Run, event: RunEvent) -> events.Event:
    return events.Event(
        id=event.id,
        type=event.type,
        actor=claims.actor(run),
        workspace=run.workspace,
        kind="Job",
        name=run.job_name,
        uid=run.key.job_uid,
        attempt=run.key.attempt,
        seq=event.seq,
        details=event.details,
        version=event.event_version,
    )


def _without_hole(run: Run, batch: Sequence[RunEvent]) -> int | None:
    """The new last_seq if nothing was missing and nothing is now; None if one must look."""
    seqs = sorted({event.seq for event in batch if event.seq > run.last_seq})
    if not seqs:
        return run.last_seq
    goes_on = seqs == list(range(run.last_seq + 1, run.last_seq + 1 + len(seqs)))
    return seqs[-1] if goes_on and run.highest_seq == run.last_seq else None


async def _count(connection: Connection, run: Run, last_seq: int, highest_seq: int) -> None:
    if (last_seq, highest_seq) != (run.last_seq, run.highest_seq):
        await connection.execute(
            "UPDATE runs SET last_seq = $2, highest_seq = $3 WHERE pod_uid = $1",
            run.pod_uid,
            last_seq,
            highest_seq,
        )


async def _before_hole(connection: Connection, run: Run) -> int:
    # A row of the right number stands at its own place as long as nothing is missing.
    last: int | None = await connection.fetchval(
        "SELECT max(seq) FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS place FROM"
        " (SELECT DISTINCT seq FROM events WHERE uid = $1 AND attempt = $2 AND seq > $3) AS each"
        ") AS counted WHERE seq = $3 + place",
        run.key.job_uid,
        run.key.attempt,
        run.last_seq,
    )
    return last if last is not None else run.last_seq
