"""What the operator does with leases: make their rows, note whose time is over, hand on what was unclear.

Everything here is called through ``leadership.fenced``.
"""

from collections.abc import Sequence

from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease, LeaseHolder, NewLease
from coxswain.errors import ConflictError
from coxswain.rules import leasing
from coxswain.store.leases import holding, lines, rows, telling
from coxswain.store.leases.holding import EXPIRED, Grant
from coxswain.store.leases.rows import Place
from coxswain.store.leases.telling import Change
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

RULE = "QuarantineOver"
DELETED = "Deleted"
DECLARED = "declared:"
LEAP = 1_000_000
"""What was given out and lost with the records is at most so much; no token is given out twice."""
AT_ONCE = 500


async def define(connection: Connection, new: NewLease) -> Lease:
    """Have a row stand for a Lease object as it is, and give it to its declared holder if it is free.

    The next token is larger than those of row and status. Raises ConflictError resource_taken.
    """
    place = (new.workspace, new.name)
    standing = (await rows.locked(connection, [place])).get(place)
    await _check_resource(connection, new)
    changes: list[Change] = []
    if standing is None:
        await _insert(connection, new)
    else:
        changes += await _update(connection, new, standing)
    changes += await _settle_declared(connection, place)
    await telling.tell(connection, changes)
    return (await rows.of(connection, [place]))[place]


async def _check_resource(connection: Connection, new: NewLease) -> None:
    other = await rows.of_resource(connection, new.workspace, new.spec.resource)
    if other not in (None, new.name):
        raise ConflictError(
            f"resource '{new.spec.resource}' is that of Lease '{other}' already",
            code="resource_taken",
            field="spec.resource",
        )


async def _insert(connection: Connection, new: NewLease) -> None:
    """A row that is not there although the object was held is one that was lost."""
    await connection.execute(
        "INSERT INTO leases (workspace, name, uid, resource, ttl_seconds, steal_after_seconds,"
        " quarantine_seconds, declared, line, token, floor, state, reason, holder)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, lease_line(), $9, $10, $11, $12, $13)",
        *_defined(new),
        new.last_token,
        new.last_token + (LEAP if new.last_token else 0),
        LeaseState.FREE if new.last_holder is None else LeaseState.QUARANTINED,
        "" if new.last_holder is None else leasing.RESTORED,
        new.last_holder,
    )


async def _update(connection: Connection, new: NewLease, standing: Lease) -> list[Change]:
    changes: list[Change] = []
    if standing.uid != new.uid or standing.is_removed:
        changes = await _is_another(connection, standing)
    elif new.last_token > standing.token:
        await _is_behind(connection, new)
    leap = 0 if standing.is_confirmed else LEAP
    await connection.execute(
        "UPDATE leases SET uid = $3, removed_at = NULL, resource = $4, ttl_seconds = $5,"
        " steal_after_seconds = $6, quarantine_seconds = $7, declared = $8, line = lease_line(),"
        " floor = CASE WHEN $10::bigint > 0 THEN greatest(floor, token, $9) + $10"
        " ELSE greatest(floor, $9) END WHERE workspace = $1 AND name = $2",
        *_defined(new),
        new.last_token,
        leap,
    )
    return changes


def _defined(new: NewLease) -> tuple[object, ...]:
    spec = new.spec
    return (
        new.workspace,
        new.name,
        new.uid,
        spec.resource,
        spec.ttl_seconds,
        spec.steal_after_seconds,
        spec.quarantine_seconds,
        spec.holder,
    )


async def _is_another(connection: Connection, standing: Lease) -> list[Change]:
    """The object was made anew under its name: whoever held the former one holds nothing."""
    place = (standing.workspace, standing.name)
    if standing.holder is None:
        return []
    freed = (await holding.free(connection, [place], LeaseState.FREE))[place]
    return [telling.reclaimed(freed, telling.OPERATOR, DELETED, standing)]


async def _is_behind(connection: Connection, new: NewLease) -> None:
    """The records are older than the object: what it says counts, and who held it may be anybody."""
    await connection.execute(
        "UPDATE leases SET token = $3, state = CASE WHEN $4::text IS NULL THEN 'Free'"
        " ELSE 'Quarantined' END, reason = CASE WHEN $4::text IS NULL THEN '' ELSE $5 END,"
        " holder = $4, job_uid = NULL, job_name = NULL, attempt = NULL, with_run = false,"
        " expires_at = NULL, changed_at = clock_timestamp() WHERE workspace = $1 AND name = $2",
        new.workspace,
        new.name,
        new.last_token,
        new.last_holder,
        leasing.RESTORED,
    )


async def _settle_declared(connection: Connection, place: Place) -> list[Change]:
    changes: list[Change] = []
    lease = (await rows.of(connection, [place]))[place]
    wanted = None if lease.declared is None else LeaseHolder.declared(lease.declared)
    if lease.state is LeaseState.HELD and _is_declared(lease) and lease.holder != wanted:
        lease = (await holding.free(connection, [place], LeaseState.FREE))[place]
        changes.append(telling.let_go(lease, telling.OPERATOR))
    if wanted is None or not leasing.is_for_declared(lease):
        return changes
    given = (await holding.give(connection, [Grant(place, wanted, is_declared=True)]))[place]
    if lease.holder not in (None, wanted):
        changes.append(telling.reclaimed(given, telling.OPERATOR, EXPIRED, lease))
    return [*changes, telling.taken(given, telling.OPERATOR)]


def _is_declared(lease: Lease) -> bool:
    return lease.holder is not None and lease.holder.text.startswith(DECLARED)


async def standing_for(
    connection: Connection, workspaces: Sequence[str] | None = None
) -> tuple[str, ...]:
    """The uids of the objects that rows stand for, in these workspaces or in all."""
    found = await connection.fetch(
        "SELECT uid FROM leases WHERE removed_at IS NULL"
        " AND (workspace = ANY ($1::text[]) OR $1 IS NULL)",
        list(workspaces) if workspaces is not None else None,
    )
    return tuple(str(row["uid"]) for row in found)


async def drop(connection: Connection, uids: Sequence[str]) -> None:
    """Have these objects be gone, and tell of it: the mirror never knew them."""
    await telling.tell(connection, await remove(connection, uids))


async def remove(connection: Connection, uids: Sequence[str]) -> list[Change]:
    """The objects are gone: nobody holds their leases any more; rows and tokens stay."""
    found = await connection.fetch(
        "SELECT workspace, name FROM leases WHERE uid = ANY ($1::uuid[]) AND removed_at IS NULL"
        " ORDER BY workspace, name FOR UPDATE",
        list(uids),
    )
    places = [(row["workspace"], row["name"]) for row in found]
    if not places:
        return []
    standing = await rows.of(connection, places)
    freed = await holding.free(connection, places, LeaseState.FREE)
    await connection.execute(
        "UPDATE leases SET removed_at = clock_timestamp() WHERE uid = ANY ($1::uuid[])", list(uids)
    )
    return [
        telling.reclaimed(freed[place], telling.OPERATOR, DELETED, was)
        for place, was in standing.items()
        if was.holder is not None
    ]


async def standing(
    connection: Connection, place: Place, resource: str | None
) -> tuple[Lease | None, str | None]:
    """The row of a Lease, and the name of another one that stands for its resource."""
    row = (await rows.of(connection, [place])).get(place)
    if resource is None or (row is not None and not row.is_removed and row.resource == resource):
        return row, None
    other = await rows.of_resource(connection, place[0], resource)
    return row, other if other != place[1] else None


async def lapse(connection: Connection) -> int:
    """Note whose time is over by the database's clock; how many these were.

    Of a run it is not known yet whether it still acts: its lease is Quarantined. All others are
    free at once, and so is what was Quarantined for as long as its rule says.
    """
    found = await connection.fetch(
        rows.changed(
            "WITH over AS (SELECT workspace, name, job_name AS job, expires_at AS ended, CASE"
            " WHEN state = 'Quarantined' THEN $3 WHEN job_uid IS NULL THEN $2 ELSE $1 END AS why"
            " FROM leases WHERE removed_at IS NULL AND (state = 'Held' AND expires_at <= clock_timestamp()"
            " OR state = 'Quarantined' AND quarantine_seconds IS NOT NULL"
            " AND changed_at + make_interval(secs => quarantine_seconds) <= clock_timestamp())"
            " ORDER BY workspace, name LIMIT $4 FOR UPDATE SKIP LOCKED),"
            " changed AS (UPDATE leases SET state = CASE WHEN why = $1 THEN 'Quarantined' ELSE 'Expired'"
            " END, reason = CASE WHEN why = $1 THEN why ELSE '' END,"
            " former_holder = CASE WHEN why = $1 THEN former_holder ELSE holder END,"
            " holder = CASE WHEN why = $1 THEN holder END, job_uid = CASE WHEN why = $1 THEN job_uid END,"
            " job_name = CASE WHEN why = $1 THEN job_name END, attempt = CASE WHEN why = $1 THEN attempt"
            " END, with_run = with_run AND why = $1, expires_at = NULL, changed_at = clock_timestamp()"
            " FROM over WHERE leases.workspace = over.workspace AND leases.name = over.name"
            " RETURNING leases.*, over.why, over.job, over.ended)"
        ),
        leasing.SILENT,
        EXPIRED,
        RULE,
        AT_ONCE,
    )
    changes = [_lapsed(rows.stored(row), row["why"])._replace(job=row["job"]) for row in found]
    for row in found:
        if row["ended"] is not None:
            late = (row["changed_at"] - row["ended"]).total_seconds()
            metrics.LEASE_RECLAIM_SECONDS.observe(late)
    await lines.purge(connection)
    await telling.tell(connection, changes)
    return len(found)


def _lapsed(lease: Lease, why: str) -> Change:
    if lease.state is LeaseState.QUARANTINED:
        return telling.quarantined(lease, telling.OPERATOR)
    return telling.reclaimed(lease, telling.OPERATOR, why)


async def reclaim(connection: Connection, place: Place, token: int, reason: str) -> bool:
    """Hand on what was Quarantined: its holder is surely gone. False: it is not so any more."""
    lease = (await rows.locked(connection, [place])).get(place)
    if lease is None or lease.state is not LeaseState.QUARANTINED or lease.token != token:
        return False
    freed = (await holding.free(connection, [place], LeaseState.EXPIRED))[place]
    await telling.tell(connection, [telling.reclaimed(freed, telling.OPERATOR, reason, lease)])
    return True
