"""What was found out about each workspace's network: whether its policy is enforced."""

from dataclasses import dataclass

from coxswain.store.pool import Connection


@dataclass(frozen=True)
class Finding:
    """The outcome of a probe, kept per version so that each upgrade probes anew."""

    workspace: str
    version: str
    enforced: bool
    message: str = ""


async def of(connection: Connection, workspace: str, version: str) -> Finding | None:
    """What is known of a workspace under a version."""
    row = await connection.fetchrow(
        "SELECT workspace, version, enforced, message FROM enforcement"
        " WHERE workspace = $1 AND version = $2",
        workspace,
        version,
    )
    return None if row is None else Finding(**dict(row))


async def keep(connection: Connection, finding: Finding) -> None:
    """Keep a finding; the newer one wins."""
    await connection.execute(
        "INSERT INTO enforcement (workspace, version, enforced, message) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (workspace, version) DO UPDATE SET enforced = excluded.enforced,"
        " message = excluded.message, checked_at = now()",
        finding.workspace,
        finding.version,
        finding.enforced,
        finding.message,
    )
