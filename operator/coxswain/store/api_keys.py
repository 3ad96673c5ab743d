"""Keys of machines: made, used, listed, revoked. A key's hash and rights never change.

Time is the database's: whether a key has expired is one clock's judgement, whichever process asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from coxswain.errors import ConflictError, NotFoundError, UserError
from coxswain.store.pool import Connection

MOST = 500
"""Keys that are not revoked."""
TOO_MANY = "too_many_keys"
MADE = "key_made_already"
UNKNOWN = "key_unknown"

_COLUMNS = (
    "id, name, role, workspaces, queues, made_by, made_at, expires_at, revoked_at, revoked_by,"
    " last_used_at, (expires_at <= now()) IS TRUE AS has_expired,"
    " extract(epoch FROM expires_at - now())::float8 AS seconds_left"
)
# At most one write a minute, and none for a key that opens nothing.
_USE = (
    "WITH noted AS (UPDATE api_keys SET last_used_at = now() WHERE id = $1 AND secret_hash = $2"  # noqa: S608 - constants
    " AND revoked_at IS NULL AND (expires_at <= now()) IS NOT TRUE"
    " AND (last_used_at > now() - interval '1 minute') IS NOT TRUE)"
    f" SELECT {_COLUMNS} FROM api_keys WHERE id = $1 AND secret_hash = $2"
)


@dataclass(frozen=True)
class NewApiKey:
    """A key that is to be. None in workspaces and queues means all."""

    id: str
    name: str
    secret_hash: bytes = field(repr=False)
    role: str
    workspaces: Sequence[str] | None
    queues: Sequence[str] | None
    made_by: str
    expires_at: datetime | None


@dataclass(frozen=True)
class ApiKey:
    """A key as it stands, without its hash."""

    id: str
    name: str
    role: str
    workspaces: tuple[str, ...] | None
    queues: tuple[str, ...] | None
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None
    """To the minute."""
    has_expired: bool
    seconds_left: float | None
    """Until it expires; None: it does not."""


@dataclass(frozen=True)
class Which:
    """A page of keys."""

    limit: int
    after: tuple[datetime, str] | None = None
    """Time and id of the last one of the page before."""
    revoked: bool = False
    """Whether those too that were revoked."""


async def make(connection: Connection, new: NewApiKey) -> ApiKey:
    """Keep a new key; the same again is harmless.

    Raises UserError where it would have expired already, ConflictError too_many_keys, or
    key_made_already where its id has another secret.
    """
    # One at a time, so that the bound holds; rare enough to wait for.
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('api_keys'))")
    standing = await connection.fetchval(
        "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL AND id <> $1", new.id
    )
    if standing >= MOST:
        text = f"there are {MOST} keys that are not revoked; revoke those that nobody uses"
        raise ConflictError(text, code=TOO_MANY)
    await connection.execute(
        "INSERT INTO api_keys (id, name, secret_hash, role, workspaces, queues, made_by, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
        new.id,
        new.name,
        new.secret_hash,
        new.role,
        None if new.workspaces is None else list(new.workspaces),
        None if new.queues is None else list(new.queues),
        new.made_by,
        new.expires_at,
    )
    is_new = await connection.fetchval(
        "SELECT secret_hash = $2 FROM api_keys WHERE id = $1", new.id, new.secret_hash
    )
    if not is_new:
        text = (
            f"key '{new.id}' was made under this Idempotency-Key, and its secret is shown once; if that"
            " answer was lost, revoke the key and make another under a new one"
        )
        raise ConflictError(text, code=MADE, field="header.Idempotency-Key")
    found = await get(connection, new.id)
    if found.has_expired:
        raise UserError("this time is past already", field="expiresAt")
    return found


async def use(connection: Connection, id_: str, secret_hash: bytes) -> ApiKey | None:
    """The key with this id and hash, and a note that it was used; None: there is none such."""
    row = await connection.fetchrow(_USE, id_, secret_hash)
    return None if row is None else _stored(row)


async def get(connection: Connection, id_: str) -> ApiKey:
    """One key. Raises NotFoundError key_unknown."""
    statement = f"SELECT {_COLUMNS} FROM api_keys WHERE id = $1"  # noqa: S608 - a constant
    row = await connection.fetchrow(statement, id_)
    if row is None:
        raise NotFoundError(f"there is no key '{id_}'", code=UNKNOWN)
    return _stored(row)


async def newest(connection: Connection, which: Which) -> tuple[ApiKey, ...]:
    """Keys, newest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM api_keys WHERE ($1 OR revoked_at IS NULL)"  # noqa: S608 - a constant
        " AND ($3::timestamptz IS NULL OR (made_at, id) < ($3, $4))"
        " ORDER BY made_at DESC, id DESC LIMIT $2",
        which.revoked,
        which.limit,
        *(which.after or (None, None)),
    )
    return tuple(_stored(row) for row in rows)


async def revoke(connection: Connection, id_: str, by: str) -> ApiKey:
    """End a key for good; the same again changes nothing. Raises NotFoundError key_unknown."""
    await connection.execute(
        "UPDATE api_keys SET revoked_at = now(), revoked_by = $2"
        " WHERE id = $1 AND revoked_at IS NULL",
        id_,
        by,
    )
    return await get(connection, id_)


def _stored(row: asyncpg.Record) -> ApiKey:
    found = dict(row)
    for name in ("workspaces", "queues"):
        found[name] = None if found[name] is None else tuple(found[name])
    return ApiKey(**found)
