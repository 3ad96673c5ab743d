"""How Jobs ended whose objects are gone: records outlive them."""

from collections.abc import Sequence
from datetime import datetime

from coxswain.store.pool import Connection


async def phases(
    connection: Connection, workspace: str, names: Sequence[str], since: datetime
) -> dict[str, str]:
    """The last phase of the last Job of each name, of those that were deleted since then."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (name) name, phase FROM mirror"
        " WHERE kind = 'Job' AND workspace = $1 AND name = ANY ($2::text[]) AND deleted_at >= $3"
        " ORDER BY name, created_at DESC, uid DESC",
        workspace,
        list(names),
        since,
    )
    return {row["name"]: row["phase"] for row in rows}
