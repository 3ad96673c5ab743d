"""The one check of whatever is written under a lease: its token must be the latest that was given out.

The rows of the leases are kept from changing until the transaction ends, so a hand-over comes either
before the check, which then refuses, or after the whole write. Every writer calls ``require`` in the
transaction that writes: a run's events, acts, artifacts and result through ``claims.held``.
"""

from collections.abc import Mapping

from coxswain.errors import ConflictError
from coxswain.rules import leasing
from coxswain.store.leases import rows
from coxswain.store.pool import Connection


async def require(connection: Connection, workspace: str, tokens: Mapping[str, int]) -> None:
    """Hold these tokens until the transaction ends.

    Raises ConflictError lease_lost where a larger one was given out, lease_token_unknown where none
    so large was, lease_unknown where there is no such lease.
    """
    if not tokens:
        return
    standing = await rows.shared(connection, [(workspace, name) for name in tokens])
    for name, token in sorted(tokens.items()):
        lease = standing.get((workspace, name))
        if lease is None or lease.is_removed:
            raise ConflictError(f"there is no Lease '{name}' any more", code=leasing.UNKNOWN)
        wrong = leasing.wrong_token(lease, token)
        if wrong is not None:
            raise wrong
