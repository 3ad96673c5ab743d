"""The leases of a Job's run: all of them or none with its start, renewed by its heartbeats, let go at its end.

As long as the run is unclaimed its leases do not end: nobody acts under them, and the start of a pod
has a time limit of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease, LeaseHolder, NewRun, RunKey, WantedLease
from coxswain.errors import ConflictError
from coxswain.rules import leasing
from coxswain.store.leases import holding, lines, rows, telling
from coxswain.store.leases.holding import Grant
from coxswain.store.leases.rows import COLUMNS, Place
from coxswain.store.leases.telling import Change
from coxswain.store.pool import Connection

Tokens = dict[str, int]
LEFT = "HolderEnding"
LOST = "Lost/"
WAITING = "Waiting"


class Taken(NamedTuple):
    """What each run was given, or why not; and what is to be told of it."""

    answers: dict[RunKey, Tokens | ConflictError]
    changes: list[Change]


class Ended(NamedTuple):
    """A run that is closed, why, and whether its pod is known not to act any more."""

    key: RunKey
    reason: str
    is_gone: bool


async def take(connection: Connection, batch: Sequence[NewRun]) -> Taken:
    """Give each run all of its leases, or none and the reason; the first of a batch goes first."""
    wanting = [each for each in batch if each.leases]
    if not wanting:
        return Taken({}, [])
    places = [(each.workspace, name) for each in wanting for name in each.leases]
    standing = await rows.locked(connection, places)
    grants: list[Grant] = []
    answers: dict[RunKey, Tokens | ConflictError] = {}
    for each in wanting:
        taken = {grant.place for grant in grants}
        refused = _refusal(each, standing, taken)
        answers[each.key] = refused if refused is not None else {}
        if refused is None:
            grants.extend(_grants(each, standing))
    given = await holding.give(connection, grants) if grants else {}
    for each in wanting:
        if not isinstance(answers[each.key], ConflictError):
            answers[each.key] = {
                name: given.get((each.workspace, name), standing[each.workspace, name]).token
                for name in each.leases
            }
    changes = [telling.taken(given[each.place], telling.OPERATOR) for each in grants]
    return Taken(answers, [*_reclaimed(grants, standing, given), *changes])


def _refusal(run: NewRun, standing: dict[Place, Lease], taken: set[Place]) -> ConflictError | None:
    holder = LeaseHolder.of_run(run.key, run.job_name)
    for name in run.leases:
        lease = standing.get((run.workspace, name))
        if (run.workspace, name) in taken:
            return ConflictError(f"Lease '{name}' was taken just now", code=leasing.HELD)
        if lease is not None and leasing.is_own(lease, holder):
            continue
        why = leasing.refusal(lease, holder, name=name)
        if why is not None:
            return ConflictError(why.message, code=why.code)
    return None


def _grants(run: NewRun, standing: dict[Place, Lease]) -> list[Grant]:
    holder = LeaseHolder.of_run(run.key, run.job_name)
    return [
        Grant((run.workspace, name), holder, with_run=True)
        for name in run.leases
        if not leasing.is_own(standing[run.workspace, name], holder)
    ]


def _reclaimed(
    grants: Sequence[Grant], standing: dict[Place, Lease], given: dict[Place, Lease]
) -> list[Change]:
    """Leases whose holders' time was over, though nobody had noted it yet."""
    return [
        telling.reclaimed(
            given[each.place], telling.OPERATOR, holding.EXPIRED, standing[each.place]
        )
        for each in grants
        if standing[each.place].holder is not None
    ]


async def wanted(
    connection: Connection, workspace: str, names: Sequence[str], holder: LeaseHolder
) -> tuple[WantedLease, ...]:
    """Leases as a Job finds them, in the order in which it takes them."""
    standing = await rows.of(connection, [(workspace, name) for name in names])
    waits = await lines.stands(connection, workspace, holder.text)
    return tuple(
        WantedLease(name, standing.get((workspace, name)), name in waits) for name in sorted(names)
    )


async def live(connection: Connection, key: RunKey, names: Sequence[str]) -> bool:
    """The run lives: renew what it was given with its start. False: some of it is lost.

    What is in doubt only because nothing was heard of it is held again.
    """
    found = await connection.fetch(
        rows.changed(
            "WITH standing AS (SELECT workspace, name, state AS was FROM leases"
            " WHERE job_uid = $1 AND attempt = $2 AND with_run"
            " AND (state = 'Held' AND coalesce(expires_at > clock_timestamp(), true)"
            " OR state = 'Quarantined' AND reason = $3) ORDER BY workspace, name FOR UPDATE),"
            " changed AS (UPDATE leases SET state = 'Held', reason = '',"
            " renewed_at = clock_timestamp(), changed_at = CASE WHEN was = 'Held'"
            " THEN leases.changed_at ELSE clock_timestamp() END,"
            " expires_at = clock_timestamp() + make_interval(secs => ttl_seconds) FROM standing"
            " WHERE leases.workspace = standing.workspace AND leases.name = standing.name"
            " RETURNING leases.*, was)"
        ),
        key.job_uid,
        key.attempt,
        leasing.SILENT,
    )
    again = [rows.stored(row) for row in found if row["was"] != LeaseState.HELD]
    await telling.tell(connection, [telling.recovered(each, telling.OPERATOR) for each in again])
    return {row["name"] for row in found} >= set(names)


async def held(connection: Connection, key: RunKey) -> list[Lease]:
    """What the run holds at this moment, by name."""
    found = await connection.fetch(
        f"SELECT {COLUMNS} FROM leases WHERE job_uid = $1 AND attempt = $2 AND state = 'Held'"  # noqa: S608 - constants
        " AND coalesce(expires_at > clock_timestamp(), true) ORDER BY name",
        key.job_uid,
        key.attempt,
    )
    return [rows.stored(row) for row in found]


async def let_go(connection: Connection, ended: Sequence[Ended]) -> list[Change]:
    """Runs are closed: their leases are free, or Quarantined where their pods may still act."""
    if not ended:
        return []
    found = await connection.fetch(
        rows.changed(
            "WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::integer[], $3::boolean[], $4::text[])"
            " AS wanted (job_uid, attempt, is_gone, why)),"
            " standing AS (SELECT workspace, name, state AS was, is_gone, why FROM wanted"
            " JOIN leases USING (job_uid, attempt)"
            " WHERE state = 'Held' OR state = 'Quarantined' AND is_gone"
            " ORDER BY workspace, name FOR UPDATE OF leases),"
            " changed AS (UPDATE leases SET state = CASE WHEN NOT is_gone THEN 'Quarantined'"
            " WHEN was = 'Held' THEN 'Free' ELSE 'Expired' END,"
            " reason = CASE WHEN is_gone THEN '' ELSE $5 END,"
            " former_holder = CASE WHEN is_gone THEN holder ELSE former_holder END,"
            " holder = CASE WHEN is_gone THEN NULL ELSE holder END,"
            " job_uid = CASE WHEN is_gone THEN NULL ELSE job_uid END,"
            " job_name = CASE WHEN is_gone THEN NULL ELSE job_name END,"
            " attempt = CASE WHEN is_gone THEN NULL ELSE attempt END,"
            " with_run = with_run AND NOT is_gone, expires_at = NULL, changed_at = clock_timestamp()"
            " FROM standing WHERE leases.workspace = standing.workspace AND leases.name = standing.name"
            " RETURNING leases.*, standing.why)"
        ),
        [each.key.job_uid for each in ended],
        [each.key.attempt for each in ended],
        [each.is_gone for each in ended],
        [each.reason for each in ended],
        LEFT,
    )
    return [_ending(rows.stored(row), row["why"]) for row in found]


async def give_back(connection: Connection, key: RunKey) -> None:
    """An attempt whose pod was not made waits: its leases are free, unless it is claimed or closed.

    Its row keeps their tokens: a pod that comes late all the same holds nothing.
    """
    waits = await connection.fetchval(
        "SELECT true FROM runs WHERE job_uid = $1 AND attempt = $2 AND pod_uid IS NULL"
        " AND closed_at IS NULL FOR UPDATE",
        key.job_uid,
        key.attempt,
    )
    if waits:
        freed = await let_go(connection, [Ended(key, WAITING, is_gone=True)])
        await telling.tell(connection, freed)


def _ending(lease: Lease, why: str) -> Change:
    """How it ended: a run that was lost has let go of nothing by itself."""
    if lease.state is LeaseState.QUARANTINED:
        return telling.quarantined(lease, telling.OPERATOR)
    if lease.state is LeaseState.EXPIRED or why.startswith(LOST):
        return telling.reclaimed(lease, telling.OPERATOR, why.removeprefix(LOST))
    return telling.let_go(lease, telling.OPERATOR, run=why)
