"""Jobs that wait for people, as the mirror has them."""

from coxswain.api.records import ObjectRow
from coxswain.store import mirror
from coxswain.store.pool import Connection

MOST = 500


async def for_agreement(connection: Connection, *, limit: int = MOST) -> tuple[ObjectRow, ...]:
    """Living Jobs that ask people and have not begun, oldest first."""
    # The index over (kind, created_at, uid) gives the order; a mirrored Job has a phase or is new.
    rows = await connection.fetch(
        "SELECT * FROM mirror WHERE kind = 'Job' AND deleted_at IS NULL"
        " AND phase IN ('', 'Queued') AND object #> '{spec,approval}' IS NOT NULL"
        " AND coalesce(jsonb_array_length(object #> '{status,attempts}'), 0) = 0"
        " ORDER BY created_at, uid LIMIT $1",
        limit,
    )
    return tuple(mirror.stored(row) for row in rows)
