"""Notes every second which leases are over, by the database's clock: one statement, however many there are."""

import asyncio

import structlog

from coxswain.errors import CoxswainError, FencedError
from coxswain.reconcile.records import Records

log = structlog.get_logger()

PERIOD_SECONDS = 1.0


async def run(records: Records) -> None:
    """Look until cancelled; while Postgres is away nothing is over."""
    while True:
        try:
            while await records.lapse_leases():
                log.info("leases are over")
        except FencedError:
            raise
        except CoxswainError as error:
            log.warning("leases not looked at", error=error.message, code=error.code)
        await asyncio.sleep(PERIOD_SECONDS)
