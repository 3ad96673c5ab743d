"""With which settings each process runs, as it tells itself, again and again. Secrets are not told."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coxswain import configuration
from coxswain.configuration import Settings
from coxswain.errors import CoxswainError
from coxswain.store.pool import Connection, Store
from coxswain.telemetry import logs

log = logs.get(__name__)

PERIOD_SECONDS = 20.0
SEEN_SECONDS = 60
"""A process that has told nothing for so long is no longer shown."""
FORGOTTEN_SECONDS = 3600


@dataclass(frozen=True)
class Running:
    """A process at work."""

    process: str
    instance: str
    started_at: datetime
    seen_at: datetime
    settings: dict[str, Any]


async def tell(
    connection: Connection, process: str, instance: str, told: Mapping[str, Any], *, is_new: bool
) -> None:
    """A process runs, with these settings; ``is_new`` where it has just been started."""
    await connection.execute(
        "WITH forgotten AS (DELETE FROM running_processes WHERE login = current_user"
        " AND seen_at < now() - make_interval(secs => $5) AND (process, instance) <> ($1, $2))"
        " INSERT INTO running_processes AS known (process, instance, settings) VALUES ($1, $2, $3)"
        " ON CONFLICT (login, process, instance) DO UPDATE SET settings = excluded.settings,"
        " seen_at = now(), started_at = CASE WHEN $4 THEN now() ELSE known.started_at END",
        process,
        instance,
        told,
        is_new,
        FORGOTTEN_SECONDS,
    )


async def seen(connection: Connection, seconds: float = SEEN_SECONDS) -> tuple[Running, ...]:
    """The processes that told of themselves lately, those that were started last first."""
    rows = await connection.fetch(
        "SELECT process, instance, started_at, seen_at, settings FROM running_processes"
        " WHERE seen_at > now() - make_interval(secs => $1)"
        " ORDER BY process, started_at DESC, instance",
        seconds,
    )
    return tuple(Running(**dict(row)) for row in rows)


async def run(
    store: Store,
    process: str,
    given: Settings,
    *,
    instance: str | None = None,
    period: float = PERIOD_SECONDS,
) -> None:
    """Tell it until cancelled."""
    name, told, is_new = instance or socket.gethostname(), configuration.shown(given), True
    while True:
        try:
            await store.run(tell, process, name, told, is_new=is_new)
            is_new = False
        except CoxswainError as error:
            log.warning("the settings of this process cannot be told", code=error.code)
        await asyncio.sleep(period)
