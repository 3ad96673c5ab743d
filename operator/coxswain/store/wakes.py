"""Reasons for the operator to look at an object, left by other processes.

One row per object; each new reason gives it a new version. Handling takes away the version that
was seen, so a reason that comes meanwhile stays. The notification is only speed: unhandled rows are read
again on reconnect and at each sweep.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coxswain.store.pool import Connection

CHANNEL = "coxswain_wake"
PAGE = 1000


@dataclass(frozen=True)
class Wake:
    """Look at this object; ``version`` goes back into ``handled``."""

    kind: str
    workspace: str
    name: str
    version: int


async def add(connection: Connection, kind: str, workspace: str, name: str) -> None:
    """Ask the operator to look at an object; it is told when the transaction commits."""
    await add_all(connection, [(kind, workspace, name)])


async def add_all(connection: Connection, objects: Iterable[tuple[str, str, str]]) -> None:
    """The same for many: kind, workspace and name of each."""
    wanted = sorted(set(objects))
    # Versions come from a sequence: a row that was handled and comes anew has one never seen.
    await connection.execute(
        "INSERT INTO wakes (kind, workspace, name)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::text[])"
        " ON CONFLICT (kind, workspace, name) DO UPDATE SET version = nextval('wake_versions')",
        [kind for kind, _, _ in wanted],
        [workspace for _, workspace, _ in wanted],
        [name for _, _, name in wanted],
    )
    # An empty payload: the same notification twice in one transaction is sent once.
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def unhandled(connection: Connection, *, limit: int = PAGE) -> tuple[Wake, ...]:
    """The reasons that nobody has handled yet."""
    rows = await connection.fetch(
        "SELECT kind, workspace, name, version FROM wakes ORDER BY version LIMIT $1", limit
    )
    return tuple(Wake(**dict(row)) for row in rows)


async def handled(connection: Connection, seen: Sequence[Wake]) -> None:
    """Take these away, each only if no newer reason came."""
    await connection.execute(
        "DELETE FROM wakes"
        " USING unnest($1::text[], $2::text[], $3::text[], $4::bigint[])"
        " AS seen (kind, workspace, name, version)"
        " WHERE (wakes.kind, wakes.workspace, wakes.name, wakes.version)"
        " = (seen.kind, seen.workspace, seen.name, seen.version)",
        [wake.kind for wake in seen],
        [wake.workspace for wake in seen],
        [wake.name for wake in seen],
        [wake.version for wake in seen],
    )
