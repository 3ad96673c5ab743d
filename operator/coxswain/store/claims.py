"""Which pod owns a run: the first whose namespace, account and name are the row's.

A pod that comes late (a resurrected name, a lost race) finds the row taken or closed and ends
before any user code.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from coxswain.api.event_type import D, EventType
from coxswain.api.event_types.door import RUN_CLAIMED, RunClaimed
from coxswain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from coxswain.store import events, fencing, runs
from coxswain.store.leases import of_runs
from coxswain.store.pool import Connection
from coxswain.store.runs import Run, RunKey

T = TypeVar("T")

RUN_CLOSED = "run_closed"
RUN_TAKEN = "run_taken"
RUN_UNKNOWN = "run_unknown"
RUN_OF_ANOTHER = "run_of_another"


@dataclass(frozen=True)
class Pod:
    """A pod as its verified token names it."""

    workspace: str
    account: str
    name: str
    uid: str


async def claim(connection: Connection, key: RunKey, pod: Pod) -> Run:
    """Bind the run to this pod; the same pod again is harmless.

    Raises NotFoundError run_unknown, ForbiddenError run_of_another, ConflictError run_closed or
    run_taken.
    """
    # One statement decides: a second pod waits for the row, looks again and finds it taken.
    row = await connection.fetchrow(
        "UPDATE runs SET pod_uid = $3, claimed_at = coalesce(claimed_at, now()),"
        " heartbeat_at = now()"
        " WHERE job_uid = $1 AND attempt = $2 AND closed_at IS NULL"
        " AND workspace = $4 AND service_account = $5 AND pod_name = $6"
        " AND (pod_uid IS NULL OR pod_uid = $3) RETURNING *",
        key.job_uid,
        key.attempt,
        pod.uid,
        pod.workspace,
        pod.account,
        pod.name,
    )
    if row is None:
        raise _refusal(await runs.of(connection, key), pod)
    run = runs.stored(row)
    if run.leases:
        await of_runs.live(connection, key, list(run.leases))
    data = RunClaimed(pod=pod.name, token=run.token)
    event = event_of(run, RUN_CLAIMED, data, row["claimed_at"])
    await events.append(connection, [event])
    return run


async def by_pod(connection: Connection, pod_uid: str) -> Run | None:
    """The run that this pod owns, closed or not."""
    row = await connection.fetchrow("SELECT * FROM runs WHERE pod_uid = $1", pod_uid)
    return runs.stored(row) if row is not None else None


async def still_open(connection: Connection, pod_uids: Sequence[str]) -> frozenset[str]:
    """Those of these pods whose run is not over."""
    rows = await connection.fetch(
        "SELECT pod_uid::text FROM runs WHERE pod_uid = ANY ($1::uuid[]) AND closed_at IS NULL",
        list(pod_uids),
    )
    return frozenset(row["pod_uid"] for row in rows)


async def heartbeat(connection: Connection, pod_uid: str) -> bool:
    """Note that the pod lives, renew its leases, and say whether it should end.

    Raises ConflictError run_closed if its run is over.
    """
    row = await connection.fetchrow(
        "UPDATE runs SET heartbeat_at = now() WHERE pod_uid = $1 AND closed_at IS NULL"
        " RETURNING job_uid, attempt, cancel_requested, leases",
        pod_uid,
    )
    if row is None:
        raise closed()
    key = RunKey(str(row["job_uid"]), row["attempt"])
    has_lost = row["leases"] and not await of_runs.live(connection, key, list(row["leases"]))
    return row["cancel_requested"] is True or bool(has_lost)


async def held(connection: Connection, pod_uid: str) -> Run:
    """The pod's open run, kept from changing until the transaction ends, and so are its leases.

    Raises ConflictError run_closed: a late write of a run that is over is refused; lease_lost: so is
    one under a lease that somebody else was given meanwhile.
    """
    row = await connection.fetchrow(
        "SELECT * FROM runs WHERE pod_uid = $1 AND closed_at IS NULL FOR UPDATE", pod_uid
    )
    if row is None:
        raise closed()
    run = runs.stored(row)
    await fencing.require(connection, run.workspace, run.leases)
    return run


async def under(
    connection: Connection,
    tokens: Mapping[str, int],
    operation: Callable[..., Awaitable[T]],
    pod_uid: str,
    *args: object,
) -> T:
    """Write for the pod's run under further leases, by name, beside the run's own.

    Raises like ``held``, and like ``fencing.require``.
    """
    if tokens:
        run = await held(connection, pod_uid)
        await fencing.require(connection, run.workspace, tokens)
    return await operation(connection, pod_uid, *args)


def closed() -> ConflictError:
    """The answer to whoever writes for a run that is over."""
    return ConflictError("this run is over", code=RUN_CLOSED)


def event_of(run: Run, what: EventType[D], data: D, at: datetime) -> events.Event:
    """What the platform itself records about a run; its id is derived, so it stands once."""
    return events.Event.of(
        what,
        data,
        id=events.derived_id(run.key.job_uid, run.key.attempt, what.name, at),
        actor=actor(run),
        workspace=run.workspace,
        name=run.job_name,
        uid=run.key.job_uid,
        attempt=run.key.attempt,
    )


def actor(run: Run) -> str:
    """How events name the agent that works on a run."""
    return f"agent:{run.workspace}/{run.agent_name}"


def _refusal(standing: Run | None, pod: Pod) -> UserError:
    if standing is None:
        return NotFoundError("there is no such run", code=RUN_UNKNOWN)
    wanted = (standing.workspace, standing.service_account, standing.pod_name)
    if wanted != (pod.workspace, pod.account, pod.name):
        return ForbiddenError("this run belongs to another pod", code=RUN_OF_ANOTHER)
    if standing.closed_at is not None:
        return closed()
    return ConflictError("another pod has taken this run", code=RUN_TAKEN)
