"""Jobs that wait for people, as the mirror has them."""

from coxswain.api.records import ObjectRow
from coxswain.store import mirror
from coxswain.store.pool import Connection

MOST = 500


async def for_agreement(
    connection: Connection, workspaces: frozenset[str] | None = None, *, limit: int = MOST
) -> tuple[ObjectRow, ...]:
    """Living Jobs of these workspaces, or of all, that ask people and have not begun, oldest first."""
    # The index over (kind, created_at, uid) gives the order; a mirrored Job has a phase or is new.
    rows = await connection.fetch(
        "SELECT * FROM mirror WHERE kind = 'Job' AND deleted_at IS NULL"
        " AND phase IN ('', 'Queued') AND object #> '{spec,approval}' IS NOT NULL"
        " AND coalesce(jsonb_array_length(object #> '{status,attempts}'), 0) = 0"
        " AND (workspace = ANY ($2::text[]) OR $2 IS NULL) ORDER BY created_at, uid LIMIT $1",
        limit,
        None if workspaces is None else list(workspaces),
    )
    return tuple(mirror.stored(row) for row in rows)
