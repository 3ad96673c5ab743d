"""A flag that changes wakes those who go by it: they do not learn of it at their next tick alone."""

import asyncio
from collections.abc import Callable

from coxswain.errors import CoxswainError
from coxswain.store.flags import KEPT_SECONDS, Switch
from coxswain.telemetry import logs

log = logs.get(__name__)


async def follow(
    switch: Switch, changed: Callable[[], None], *, period: float = KEPT_SECONDS
) -> None:
    """Look again and again until cancelled; tell of each change, not of how it was found."""
    was: bool | None = None
    while True:
        try:
            now = await switch.is_on()
        except CoxswainError as error:
            log.warning("the flags cannot be read", code=error.code)
        else:
            if was not in (None, now):
                log.info("a flag has changed", is_on=now)
                changed()
            was = now
        await asyncio.sleep(period)
