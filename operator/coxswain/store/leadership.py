"""Who leads, as the database sees it: one row with an epoch that only grows.

Whoever writes as the operator does it through ``fenced``: the epoch is read in the same
transaction and kept from changing until it ends, so a former leader that wakes up late writes
nothing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from coxswain.errors import FencedError
from coxswain.store.pool import Connection, Store

FORMER_SECONDS = 5.0
HELD = "SELECT 1"
"""What the server says of the one row that was found."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Leader:
    """The process that may write."""

    epoch: int
    holder: str


async def current(connection: Connection) -> Leader:
    """The last one that took leadership; epoch 0 before the first."""
    row = await connection.fetchrow("SELECT epoch, holder FROM leadership")
    return Leader(row["epoch"], row["holder"]) if row is not None else Leader(0, "")


async def take(connection: Connection, epoch: int, holder: str) -> None:
    """Become the leader of this epoch; the same again is harmless.

    Raises FencedError where the epoch is not a new one: its message names the standing one.
    """
    # Waits for transactions that hold the row FOR SHARE: the former leader's last ones end first.
    taken = await connection.fetchval(
        "UPDATE leadership SET epoch = $1, holder = $2, since = now()"
        " WHERE epoch < $1 OR (epoch = $1 AND holder = $2) RETURNING true",
        epoch,
        holder,
    )
    if taken is None:
        standing = await current(connection)
        raise FencedError(
            f"epoch {epoch} is not new: '{standing.holder}' leads with epoch {standing.epoch}"
        )


async def end_former(connection: Connection, seconds: float = FORMER_SECONDS) -> int:
    """End sessions of this login that have kept the row in a transaction for so long; how many.

    A leader that is frozen between two messages of one statement is outside of its session's time
    limits: Postgres waits for the rest, and its lock would stay for as long as it sleeps.
    """
    # A role may end its own sessions. Nothing of ours holds the row for longer than a statement may.
    ended: int = await connection.fetchval(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE usename = current_user AND pid <> pg_backend_pid()"
        " AND xact_start < clock_timestamp() - make_interval(secs => $1)"
        " AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'leadership'::regclass)",
        seconds,
    )
    return ended


async def fenced(
    store: Store,
    epoch: int,
    operation: Callable[Concatenate[Connection, P], Awaitable[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Call an operation in one transaction that checks the epoch first. Raises FencedError."""

    async def checked(connection: Connection) -> T:
        async with _epoch_held(connection, epoch):
            return await operation(connection, *args, **kwargs)

    return await store.run(checked)


@asynccontextmanager
async def _epoch_held(connection: Connection, epoch: int) -> AsyncIterator[None]:
    """A transaction in which the epoch is kept from changing."""
    try:
        await _begin(connection, epoch)
        yield
    except BaseException:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


async def _begin(connection: Connection, epoch: int) -> None:
    # One message: a round trip of its own for BEGIN would be a fifth of what a write costs us.
    found = await connection.execute(
        f"BEGIN; SELECT FROM leadership WHERE epoch = {epoch:d} FOR SHARE"
    )
    if found != HELD:
        standing = await current(connection)
        raise FencedError(f"epoch {epoch} is over: the database is at {standing.epoch}")
