"""Which stream of a session is the last: a notification that every replica hears, in one order."""

from coxswain.store.pool import Connection

CHANNEL = "coxswain_sessions"


async def tell(connection: Connection, said: str) -> None:
    """Say this to all replicas, this one too."""
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, said)
