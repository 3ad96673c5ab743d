"""Ends sessions of this process's login whose process sleeps in the middle of a transaction.

Between two messages of one statement no time limit of the session counts, and its locks would stay
for as long as the process is frozen. Servers from 17 on end it themselves (``transaction_timeout``,
see ``pool``); on older ones every other process of the same login does.
"""

import asyncio

from coxswain.errors import CoxswainError
from coxswain.store.pool import TRANSACTION_SECONDS, Connection, Store
from coxswain.telemetry import logs

log = logs.get(__name__)

PERIOD_SECONDS = 5.0


async def end(connection: Connection, seconds: float = TRANSACTION_SECONDS) -> int:
    """End sessions that have waited for so long for their client, in a transaction; how many.

    What they had not committed was never done.
    """
    # A role may end its own sessions. A session of ours that waits for its client does so for an instant.
    ended: int = await connection.fetchval(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE usename = current_user AND datname = current_database()"
        " AND pid <> pg_backend_pid() AND wait_event = 'ClientRead' AND xact_start IS NOT NULL"
        " AND state_change < clock_timestamp() - make_interval(secs => $1)",
        seconds,
    )
    return ended


async def run(
    store: Store, *, seconds: float = TRANSACTION_SECONDS, period: float = PERIOD_SECONDS
) -> None:
    """Look again and again, until cancelled."""
    while True:
        try:
            if ended := await store.run(end, seconds):
                log.warning("sessions of a frozen process were ended", sessions=ended)
        except CoxswainError as error:
            log.warning("frozen sessions cannot be looked for", code=error.code)
        await asyncio.sleep(period)
