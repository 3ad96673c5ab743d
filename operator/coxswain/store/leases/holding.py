"""Take, renew and let go of leases. One row lock decides; times are the database's alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease, LeaseHolder
from coxswain.errors import ConflictError, CoxswainError, NotFoundError
from coxswain.rules import leasing
from coxswain.store.leases import lines, rows, telling
from coxswain.store.leases.lines import Ticket
from coxswain.store.leases.rows import Place
from coxswain.store.leases.telling import Change
from coxswain.store.pool import Connection

GRACE_SECONDS = 15.0
"""So long a place in a line outlives the request that waited there."""
LOOK_SECONDS = 1.0
"""A request that waits asks again at least so often, so its ticket need not outlive that for long."""
EXPIRED = "Expired"
STOLEN = "Stolen"


class Wanted(NamedTuple):
    """A lease that somebody asks for. ``wait_seconds``: stand in its line for so long."""

    workspace: str
    name: str
    holder: LeaseHolder
    actor: str
    steal: bool = False
    wait_seconds: float = 0.0
    why: str | None = None
    """Why it is stolen, as a person says it."""

    @property
    def place(self) -> Place:
        """Workspace and name."""
        return self.workspace, self.name


class Grant(NamedTuple):
    """A lease that is given out. ``with_run``: with the start of its holder, a run."""

    place: Place
    holder: LeaseHolder
    with_run: bool = False
    is_declared: bool = False


class Holding(NamedTuple):
    """Somebody's claim to hold a lease."""

    place: Place
    holder: LeaseHolder
    token: int


class Refused(NamedTuple):
    """Why it was not given out, and how many stand ahead of a holder who waits."""

    why: CoxswainError
    ahead: int | None = None
    until: datetime | None = None
    """How long the place in the line is kept."""


async def acquire(connection: Connection, wanted: Wanted) -> Lease | Refused:
    """Take a lease, or stand in its line; see ``acquire_all``."""
    (answer,) = await acquire_all(connection, [wanted])
    return answer


async def acquire_all(connection: Connection, batch: Sequence[Wanted]) -> list[Lease | Refused]:
    """Take many leases, each for itself, or stand in their lines. Answers in the order of the batch.

    The same again by its holder changes nothing.
    """
    answers: dict[int, Lease | Refused] = {}
    changes: list[Change] = []
    left = dict(enumerate(batch))
    while left:
        # Of those who want the same lease the next one sees what the one before was given.
        first = _first_of_each(left)
        changes += await _acquire_apart(connection, first, answers)
        left = {number: each for number, each in left.items() if number not in first}
    await telling.tell(connection, changes)
    return [answers[number] for number in range(len(batch))]


def _first_of_each(left: Mapping[int, Wanted]) -> dict[int, Wanted]:
    numbers: dict[Place, int] = {}
    for number, each in left.items():
        numbers.setdefault((each.workspace, each.name), number)
    return {number: left[number] for number in numbers.values()}


async def _acquire_apart(
    connection: Connection, wanted: Mapping[int, Wanted], answers: dict[int, Lease | Refused]
) -> list[Change]:
    """The same for different leases, all locked at once; what is to be told of it."""
    standing = await rows.locked(connection, [each.place for each in wanted.values()])
    grants: dict[int, Grant] = {}
    for number, each in wanted.items():
        lease = standing.get(each.place)
        if lease is not None and leasing.is_own(lease, each.holder):
            answers[number] = lease
            continue
        why = leasing.refusal(lease, each.holder, name=each.name, steal=each.steal)
        if why is None:
            grants[number] = Grant(each.place, each.holder)
        else:
            answers[number] = await _wait(connection, each, why)
    given = await give(connection, list(grants.values())) if grants else {}
    changes: list[Change] = []
    for number, grant in grants.items():
        lease, asked = given[grant.place], wanted[number]
        answers[number] = lease
        changes += _taken_over(standing[grant.place], lease, asked)
        changes.append(telling.taken(lease, asked.actor))
    return changes


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"there is no Lease '{name}'", code=leasing.UNKNOWN)


def _taken_over(former: Lease, given: Lease, wanted: Wanted) -> list[Change]:
    """That it was reclaimed from a holder who had not let go of it."""
    if former.holder is None:
        return []
    if former.is_over:
        return [telling.reclaimed(given, wanted.actor, EXPIRED, former)]
    return [telling.reclaimed(given, wanted.actor, STOLEN, former, wanted.why)]


async def _wait(connection: Connection, wanted: Wanted, why: CoxswainError) -> Refused:
    """The refusal, and a place in the line where one waits."""
    if wanted.wait_seconds <= 0 or why.code not in leasing.WAITABLE:
        return Refused(why)
    seconds = min(wanted.wait_seconds, LOOK_SECONDS) + GRACE_SECONDS
    ticket = Ticket(wanted.workspace, wanted.name, wanted.holder, seconds)
    until = await lines.stand(connection, ticket)
    if until is None:
        text = f"{lines.MOST} stand in the line for Lease '{wanted.name}' already"
        return Refused(ConflictError(text, code=leasing.LINE_FULL))
    ahead = await lines.ahead(connection, wanted.workspace, wanted.name, wanted.holder.text)
    return Refused(why, ahead, until)


async def give(connection: Connection, grants: Sequence[Grant]) -> dict[Place, Lease]:
    """Hand these leases over, each with a larger token. They are locked, and it was decided so."""
    await lines.drop(connection, [(*each.place, each.holder.text) for each in grants])
    found = await connection.fetch(
        rows.changed(
            "WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[],"
            " $5::text[], $6::integer[], $7::boolean[], $8::boolean[]) AS given"
            " (workspace, name, holder, job_uid, job_name, attempt, with_run, renewed)),"
            " changed AS (UPDATE leases SET state = 'Held', reason = '',"
            " former_holder = coalesce(leases.holder, leases.former_holder), holder = given.holder,"
            " job_uid = given.job_uid, job_name = given.job_name, attempt = given.attempt,"
            " with_run = given.with_run, token = greatest(leases.token, leases.floor) + 1,"
            " acquired_at = clock_timestamp(), changed_at = clock_timestamp(),"
            " renewed_at = clock_timestamp(), expires_at = CASE WHEN given.renewed"
            " THEN clock_timestamp() + make_interval(secs => leases.ttl_seconds) END"
            " FROM given WHERE leases.workspace = given.workspace AND leases.name = given.name"
            " RETURNING leases.*)"
        ),
        [each.place[0] for each in grants],
        [each.place[1] for each in grants],
        [each.holder.text for each in grants],
        [each.holder.job_uid for each in grants],
        [each.holder.job_name for each in grants],
        [each.holder.attempt for each in grants],
        [each.with_run for each in grants],
        [not each.with_run and not each.is_declared for each in grants],
    )
    given = [rows.stored(row) for row in found]
    return {(each.workspace, each.name): each for each in given}


async def renew(connection: Connection, wanted: Sequence[Holding]) -> list[Lease | CoxswainError]:
    """Renew many leases in one statement; each is renewed or refused by itself, in their order.

    A holder whom a restore has put in doubt, and who names the latest token, is one again.
    """
    found = await connection.fetch(
        rows.changed(
            "WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[],"
            " $5::bigint[]) AS wanted (workspace, name, by, by_job, named)),"
            # What is asked of a row is asked of it as locked. The change then finds it by its key alone: with
            # more to go by, a planner without statistics looks at every row for each that is wanted.
            " standing AS (SELECT leases.*, by, by_job, named FROM wanted"
            " JOIN leases USING (workspace, name) ORDER BY workspace, name FOR UPDATE OF leases),"
            " changed AS (UPDATE leases SET state = 'Held', reason = '', renewed_at = clock_timestamp(),"
            " expires_at = CASE WHEN leases.expires_at IS NULL AND leases.state = 'Held' THEN NULL"
            " ELSE clock_timestamp() + make_interval(secs => leases.ttl_seconds) END,"
            " changed_at = CASE WHEN leases.state = 'Held' THEN leases.changed_at"
            " ELSE clock_timestamp() END"
            " FROM standing AS was WHERE leases.workspace = was.workspace AND leases.name = was.name"
            " AND was.removed_at IS NULL AND was.holder = was.by"
            " AND was.job_uid IS NOT DISTINCT FROM was.by_job AND was.token = was.named"
            " AND (was.state = 'Held' AND coalesce(was.expires_at > clock_timestamp(), true)"
            " OR was.state = 'Quarantined' AND was.reason = $6)"
            " RETURNING leases.*, was.state AS was)"
        ),
        [each.place[0] for each in wanted],
        [each.place[1] for each in wanted],
        [each.holder.text for each in wanted],
        [each.holder.job_uid for each in wanted],
        [each.token for each in wanted],
        leasing.RESTORED,
    )
    again = [rows.stored(row) for row in found if row["was"] != LeaseState.HELD]
    await telling.tell(connection, [telling.recovered(each, telling.OPERATOR) for each in again])
    renewed = {(row["workspace"], row["name"]): rows.stored(row) for row in found}
    left = [each.place for each in wanted if not _is_of(renewed.get(each.place), each)]
    standing = await rows.of(connection, left) if left else {}
    return [
        lease
        if (lease := renewed.get(each.place)) is not None and _is_of(lease, each)
        else _problem(standing.get(each.place), each)
        for each in wanted
    ]


def _is_of(lease: Lease | None, wanted: Holding) -> bool:
    return lease is not None and (lease.holder, lease.token) == (wanted.holder, wanted.token)


def _problem(lease: Lease | None, wanted: Holding) -> CoxswainError:
    if lease is None or lease.is_removed:
        return _unknown(wanted.place[1])
    if leasing.is_own(lease, wanted.holder):
        wrong = leasing.wrong_token(lease, wanted.token)
        if wrong is not None:
            return wrong
    return leasing.not_held(lease, wanted.holder)


async def release(connection: Connection, wanted: Holding, actor: str) -> Lease:
    """Let go of a lease; see ``release_all``. Raises what refuses it."""
    (answer,) = await release_all(connection, [(wanted, actor)])
    if isinstance(answer, CoxswainError):
        raise answer
    return answer


async def release_all(
    connection: Connection, batch: Sequence[tuple[Holding, str]]
) -> list[Lease | CoxswainError]:
    """Let go of many leases, each for itself and its actor. The same again is harmless.

    Refusals: NotFoundError lease_unknown; ConflictError lease_not_held, lease_expired, lease_lost,
    lease_token_unknown or lease_of_run.
    """
    standing = await rows.locked(connection, [wanted.place for wanted, _ in batch])
    answers = [_let_go(standing.get(wanted.place), wanted) for wanted, _ in batch]
    actors = {
        wanted.place: actor
        for (wanted, actor), answer in zip(batch, answers, strict=True)
        if answer is None
    }
    freed = await free(connection, list(actors), LeaseState.FREE) if actors else {}
    changes = [telling.let_go(lease, actors[place]) for place, lease in freed.items()]
    await telling.tell(connection, changes)
    return [
        freed[wanted.place] if answer is None else answer
        for (wanted, _), answer in zip(batch, answers, strict=True)
    ]


def _let_go(lease: Lease | None, wanted: Holding) -> Lease | CoxswainError | None:
    """The lease where it was let go before, why it is not; None where it is to be."""
    if lease is None or lease.is_removed:
        return _unknown(wanted.place[1])
    if _was_let_go(lease, wanted):
        return lease
    if not leasing.is_own(lease, wanted.holder):
        return leasing.not_held(lease, wanted.holder)
    wrong = leasing.wrong_token(lease, wanted.token)
    if wrong is not None:
        return wrong
    if lease.with_run:
        text = (
            f"Lease '{lease.name}' is one of spec.leases: it is let go when the attempt has ended"
        )
        return ConflictError(text, code=leasing.OF_RUN)
    return None


def _was_let_go(lease: Lease, wanted: Holding) -> bool:
    is_former = lease.former_holder == wanted.holder.text and lease.token == wanted.token
    return lease.state is LeaseState.FREE and is_former


async def hand_on(
    connection: Connection, place: Place, token: int, actor: str, why: str = ""
) -> Lease:
    """A person says that the holder of this token is gone: the lease may be taken anew.

    Raises NotFoundError lease_unknown; ConflictError lease_held where nothing is unclear.
    """
    lease = (await rows.locked(connection, [place])).get(place)
    if lease is None or lease.is_removed:
        raise _unknown(place[1])
    wrong = leasing.wrong_token(lease, token)
    if wrong is not None:
        raise wrong
    if lease.state in (LeaseState.FREE, LeaseState.EXPIRED):
        return lease
    if lease.state is LeaseState.HELD and not lease.is_over:
        raise leasing.held(lease)
    freed = (await free(connection, [place], LeaseState.EXPIRED))[place]
    told = telling.reclaimed(freed, actor, lease.reason or EXPIRED, lease, why or None)
    await telling.tell(connection, [told])
    return freed


async def free(
    connection: Connection, places: Sequence[Place], state: LeaseState
) -> dict[Place, Lease]:
    """Take these leases, which are locked, from whoever has them. Their tokens stay."""
    found = await connection.fetch(
        rows.changed(
            "WITH changed AS (UPDATE leases SET state = $3, reason = '', holder = NULL, job_uid = NULL,"
            " job_name = NULL, attempt = NULL, with_run = false, expires_at = NULL,"
            " former_holder = coalesce(leases.holder, leases.former_holder),"
            " changed_at = clock_timestamp() FROM unnest($1::text[], $2::text[]) AS wanted (workspace, name)"
            " WHERE leases.workspace = wanted.workspace AND leases.name = wanted.name"
            " RETURNING leases.*)"
        ),
        [workspace for workspace, _ in places],
        [name for _, name in places],
        state,
    )
    freed = [rows.stored(row) for row in found]
    return {(each.workspace, each.name): each for each in freed}
