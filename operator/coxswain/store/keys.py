"""The cluster's published token keys, kept so that tokens are verified while it is away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coxswain.store.pool import Connection


@dataclass(frozen=True)
class IssuerKeys:
    """Who signs the tokens of this cluster, and its public keys by key id."""

    issuer: str
    keys: Mapping[str, dict[str, Any]]


async def replace(connection: Connection, found: IssuerKeys) -> None:
    """Keep what the cluster publishes now; a key that it took back is trusted no more."""
    await connection.execute(
        "DELETE FROM issuer_keys WHERE issuer <> $1 OR key_id <> ALL ($2::text[])",
        found.issuer,
        list(found.keys),
    )
    await connection.execute(
        "INSERT INTO issuer_keys (issuer, key_id, jwk)"
        " SELECT $1, given.key_id, given.jwk"
        " FROM unnest($2::text[], $3::jsonb[]) AS given (key_id, jwk)"
        " ON CONFLICT (issuer, key_id) DO UPDATE SET jwk = excluded.jwk, fetched_at = now()",
        found.issuer,
        list(found.keys),
        list(found.keys.values()),
    )


async def kept(connection: Connection) -> IssuerKeys | None:
    """What was published last, or None if it was never read."""
    rows = await connection.fetch("SELECT issuer, key_id, jwk FROM issuer_keys")
    if not rows:
        return None
    return IssuerKeys(rows[0]["issuer"], {row["key_id"]: row["jwk"] for row in rows})
