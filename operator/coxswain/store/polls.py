"""Pages that Schedules look at: claimed by one gateway at a time, looked at, settled.

Which there are stands in the mirror. Time is the database's: a claim that ran out lets another
gateway look, and who settles names the claim, so one change fires once.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from coxswain.api.triggers import ClaimedPoll, Looked, NewTrigger, PollState
from coxswain.store import triggers, wakes
from coxswain.store.pool import Connection

# As the index mirror_polls has it.
_POLLING = (
    "mirror.kind = 'Schedule' AND mirror.deleted_at IS NULL"
    " AND mirror.object #> '{spec,poll}' IS NOT NULL"
)


async def adopt(connection: Connection) -> None:
    """Give every Schedule that polls its row."""
    await connection.execute(
        "INSERT INTO polls (schedule_uid) SELECT uid FROM mirror"  # noqa: S608 - a constant
        f" WHERE {_POLLING} AND NOT EXISTS (SELECT FROM polls WHERE schedule_uid = mirror.uid)"
        " ON CONFLICT DO NOTHING"
    )


async def claim(
    connection: Connection, limit: int, lease_seconds: float
) -> tuple[ClaimedPoll, ...]:
    """Take pages that are due, or whose Schedule was edited, for one look each within the lease."""
    # Another gateway's rows are skipped, not waited for.
    rows = await connection.fetch(
        "WITH due AS (SELECT polls.schedule_uid, mirror.workspace, mirror.name,"  # noqa: S608 - a constant
        "  mirror.generation, mirror.object #> '{spec}' AS spec"
        "  FROM polls JOIN mirror ON mirror.uid = polls.schedule_uid"
        f"  WHERE {_POLLING}"
        "  AND (polls.due_at <= now() OR polls.generation < mirror.generation)"
        "  ORDER BY polls.due_at LIMIT $1 FOR UPDATE OF polls SKIP LOCKED)"
        " UPDATE polls SET claim = $2, generation = due.generation,"
        " due_at = now() + make_interval(secs => $3)"
        " FROM due WHERE polls.schedule_uid = due.schedule_uid"
        " RETURNING polls.*, due.workspace, due.name, due.spec",
        limit,
        uuid4(),
        lease_seconds,
    )
    return tuple(_claimed(row) for row in rows)


async def settle(
    connection: Connection, claimed: ClaimedPoll, looked: Looked, trigger: NewTrigger | None
) -> bool:
    """Keep what came of a look, and what it fires, all or nothing. False: the claim was lost."""
    state = looked.state
    ours = await connection.fetchval(
        "UPDATE polls SET claim = NULL, due_at = now() + make_interval(secs => $3), url = $4,"
        " digest = $5, failures = $6, error = $7, checked_at = now()"
        " WHERE schedule_uid = $1 AND claim = $2 RETURNING true",
        claimed.schedule_uid,
        claimed.claim,
        looked.wait_seconds,
        state.url,
        state.digest,
        state.failures,
        state.error,
    )
    if ours is None:
        return False
    if trigger is not None:
        await triggers.record(connection, trigger)
    elif state.error != claimed.state.error or claimed.state.checked_at is None:
        await wakes.add(connection, triggers.KIND, claimed.workspace, claimed.schedule_name)
    return True


async def of(connection: Connection, uids: Sequence[str]) -> dict[str, PollState]:
    """How the last looks went, by Schedule."""
    rows = await connection.fetch(
        "SELECT * FROM polls WHERE schedule_uid = ANY ($1::uuid[])", list(uids)
    )
    return {str(row["schedule_uid"]): _state(row) for row in rows}


async def forget(connection: Connection) -> None:
    """Drop the rows of Schedules that are gone or do not poll any more."""
    await connection.execute(
        "DELETE FROM polls WHERE NOT EXISTS"  # noqa: S608 - a constant
        f" (SELECT FROM mirror WHERE mirror.uid = polls.schedule_uid AND {_POLLING})"
    )


def _claimed(row: asyncpg.Record) -> ClaimedPoll:
    return ClaimedPoll(
        schedule_uid=str(row["schedule_uid"]),
        workspace=row["workspace"],
        schedule_name=row["name"],
        claim=UUID(int=row["claim"].int),
        spec=row["spec"],
        state=_state(row),
    )


def _state(row: asyncpg.Record) -> PollState:
    return PollState(row["url"], row["digest"], row["failures"], row["error"], row["checked_at"])
