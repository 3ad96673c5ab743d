"""Which processes of ours listen in the database, by the names of their sessions. Any role sees these."""

from coxswain.store.pool import Connection

PREFIX = "coxswain-listener"


def name(component: str, process: str) -> str:
    """Of the listening session of a process; the server cuts names at 63 characters."""
    return f"{PREFIX}/{component}/{process}"


async def listening(connection: Connection) -> dict[str, str]:
    """The component of each process that listens now, by the id of the process."""
    rows = await connection.fetch(
        "SELECT DISTINCT application_name AS name FROM pg_stat_activity"
        " WHERE datname = current_database() AND starts_with(application_name, $1)",
        f"{PREFIX}/",
    )
    found = [str(row["name"]).split("/") for row in rows]
    return {parts[2]: parts[1] for parts in found if len(parts) == 3}
