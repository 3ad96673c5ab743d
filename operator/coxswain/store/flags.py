"""What people have switched while everything runs. All flags have one version, which grows with each change."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coxswain.errors import ConflictError
from coxswain.rules import flags as rules
from coxswain.rules.flags import Flag
from coxswain.store.pool import Connection, Store

STALE = "precondition_failed"
KEPT_SECONDS = 2.0
"""How old an answer may be that a process goes by: so long after a change everybody goes by it."""

_COLUMNS = "name, is_on, version, changed_by, changed_at"


@dataclass(frozen=True)
class Said:
    """One flag as people left it."""

    name: str
    is_on: bool | None
    """None: as the setting says."""
    version: int
    changed_by: str | None
    changed_at: datetime | None


async def standing(connection: Connection) -> dict[str, Said]:
    """Every flag that there is, by name."""
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM flags ORDER BY name")  # noqa: S608 - constants
    return {row["name"]: Said(**dict(row)) for row in rows}


def version(found: Mapping[str, Said]) -> int:
    """The version of all of them."""
    return max((each.version for each in found.values()), default=0)


async def change(
    connection: Connection,
    wanted: Mapping[str, bool | None],
    by: str,
    is_seen: Callable[[int], bool],
) -> dict[str, Said]:
    """Set flags, all or none; the same again changes nothing. ``is_seen`` judges the version that stands.

    Raises ConflictError precondition_failed.
    """
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM flags ORDER BY name FOR UPDATE"  # noqa: S608 - constants
    )
    found = {row["name"]: Said(**dict(row)) for row in rows}
    if not is_seen(version(found)):
        raise ConflictError("the flags changed meanwhile; read them again", code=STALE)
    changed = {name: on for name, on in wanted.items() if found[name].is_on != on}
    if not changed:
        return found
    await connection.execute(
        "UPDATE flags SET is_on = wanted.is_on, version = $3, changed_by = $4, changed_at = now()"
        " FROM unnest($1::text[], $2::boolean[]) AS wanted (name, is_on)"
        " WHERE flags.name = wanted.name",
        list(changed),
        list(changed.values()),
        version(found) + 1,
        by,
    )
    return await standing(connection)


class Switch:
    """One flag as a process goes by it. ``given`` are the process's settings."""

    def __init__(
        self,
        store: Store,
        flag: Flag,
        given: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._store = store
        self._flag = flag
        self._mode: rules.Mode = given.mode
        self._setting: bool = getattr(given, flag.setting)
        self._clock = clock
        self._kept_seconds = kept_seconds
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._said: bool | None = None

    async def is_on(self) -> bool:
        """Whether it is on; asks the database at most every two seconds. Raises UnavailableError."""
        if self._is_old():
            async with self._asking:
                if self._is_old():
                    await self._ask()
        return rules.is_on(self._flag, self._said, setting=self._setting, mode=self._mode)

    def _is_old(self) -> bool:
        return self._clock() - self._asked_at >= self._kept_seconds

    async def _ask(self) -> None:
        # As old as the question: a change that comes while it is asked is seen the next time.
        now = self._clock()
        found = await self._store.run(standing)
        self._said, self._asked_at = found[self._flag.name].is_on, now
