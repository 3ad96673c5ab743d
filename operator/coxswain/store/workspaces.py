"""Workspaces that are in use, as the mirror has them."""

from coxswain.store.pool import Connection

MOST = 1000


async def in_use(connection: Connection) -> tuple[str, ...]:
    """Namespaces in which an Agent lives, by name; a Job needs one."""
    # Of Agents there are few; the index over the kind leads to them.
    rows = await connection.fetch(
        "SELECT DISTINCT workspace FROM mirror WHERE kind = 'Agent' AND deleted_at IS NULL"
        " ORDER BY workspace LIMIT $1",
        MOST,
    )
    return tuple(row["workspace"] for row in rows)
