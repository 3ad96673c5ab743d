"""The objects of the bucket that artifacts stand in, or might: each has its row before its first byte.

    Writing --> Kept ---> Doomed --> gone
       |_________________^

Kept comes in the transaction that names the object in a row of artifacts; Doomed when that row goes,
or when nobody has finished an object in time. A doomed one is never named again, so it can be
deleted whatever its writer still does. It is deleted once more a day later: a writer that was frozen
in between may have written late.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coxswain.errors import UnavailableError
from coxswain.store.pool import Connection

GIVEN_UP = "object_given_up"
WRITING_SECONDS = 3600
AGAIN_SECONDS = 86_400
AT_ONCE = 100


@dataclass(frozen=True)
class Place:
    """Where an object is: the bucket, as the installation names it, and its key."""

    bucket: str
    key: str


async def begin(connection: Connection, place: Place) -> None:
    """Note an object that is about to be written; the same again is harmless."""
    await connection.execute(
        "INSERT INTO artifact_objects (key, bucket) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
        place.key,
        place.bucket,
    )


async def keep(connection: Connection, place: Place) -> None:
    """Say that it stands and is named from now on. Raises UnavailableError object_given_up."""
    # The row changes, so that whoever would doom it at the same time looks at it again.
    kept = await connection.fetchval(
        "UPDATE artifact_objects SET state = 'Kept', since = now()"
        " WHERE key = $1 AND state = 'Writing' RETURNING true",
        place.key,
    )
    if kept is None:
        raise UnavailableError("the file took too long to be kept; send it again", code=GIVEN_UP)


async def doom_unfinished(connection: Connection, seconds: float = WRITING_SECONDS) -> int:
    """Give up objects that nobody has finished for so long; how many they were."""
    rows = await connection.fetch(
        "UPDATE artifact_objects SET state = 'Doomed', since = now()"
        " WHERE state = 'Writing' AND since < now() - make_interval(secs => $1) RETURNING true",
        seconds,
    )
    return len(rows)


async def doomed(
    connection: Connection, bucket: str, again_seconds: float = AGAIN_SECONDS
) -> tuple[str, ...]:
    """Keys of this bucket that are to be deleted, oldest first: never deleted, or long ago."""
    rows = await connection.fetch(
        "SELECT key FROM artifact_objects WHERE state = 'Doomed' AND bucket = $1"
        " AND (deleted_at IS NULL OR deleted_at < now() - make_interval(secs => $2))"
        " ORDER BY since LIMIT $3",
        bucket,
        again_seconds,
        AT_ONCE,
    )
    return tuple(row["key"] for row in rows)


async def deleted(
    connection: Connection, keys: Sequence[str], again_seconds: float = AGAIN_SECONDS
) -> None:
    """Note that these were deleted; those for which it was the second time are forgotten."""
    await connection.execute(
        "DELETE FROM artifact_objects WHERE key = ANY ($1::text[]) AND state = 'Doomed'"
        " AND deleted_at < now() - make_interval(secs => $2)",
        list(keys),
        again_seconds,
    )
    await connection.execute(
        "UPDATE artifact_objects SET deleted_at = now()"
        " WHERE key = ANY ($1::text[]) AND state = 'Doomed' AND deleted_at IS NULL",
        list(keys),
    )


async def postpone(connection: Connection, keys: Sequence[str]) -> None:
    """Have these, which could not be deleted, wait behind all others."""
    await connection.execute(
        "UPDATE artifact_objects SET since = now()"
        " WHERE key = ANY ($1::text[]) AND state = 'Doomed'",
        list(keys),
    )
