"""How many leases, waiters, open ticks and triggers there are, for those who watch the installation."""

from collections.abc import Mapping
from dataclasses import dataclass

from coxswain.store.pool import Connection


@dataclass(frozen=True)
class Counts:
    """What stands in the records now."""

    leases: Mapping[str, int]
    """Leases that have an object, by state."""
    lease_waiters: int
    """Holders in their lines."""
    ticks: Mapping[str, int]
    """Open ticks: waiting, making their Job, or running it."""
    triggers: int
    """What came in from outside and nobody has handled."""


async def count(connection: Connection) -> Counts:
    """Count it all; what is settled is in no index that is read."""
    leases = await connection.fetch(
        "SELECT state, count(*) AS found FROM leases WHERE removed_at IS NULL GROUP BY state"
    )
    waiters: int = await connection.fetchval(
        "SELECT count(*) FROM lease_tickets WHERE alive_until > clock_timestamp()"
    )
    ticks = await connection.fetch(
        "SELECT CASE WHEN job_name IS NULL THEN 'waiting' WHEN outcome IS NULL THEN 'making'"
        " ELSE 'running' END AS state, count(*) AS found FROM ticks"
        " WHERE outcome IS NULL OR (outcome = 'Fired' AND job_phase IS NULL) GROUP BY 1"
    )
    triggers: int = await connection.fetchval(
        "SELECT count(*) FROM triggers WHERE handled_at IS NULL"
    )
    return Counts(
        leases={row["state"]: row["found"] for row in leases},
        lease_waiters=waiters,
        ticks={row["state"]: row["found"] for row in ticks},
        triggers=triggers,
    )
