"""What holds a pod to its run: the claim, and heartbeats that hear when it is over."""

import asyncio
import logging
import time

from coxswain.api.contract import ClaimAnswer
from coxswain.errors import CoxswainError
from coxswain_agent.backoff import persist
from coxswain_agent.contract import Platform
from coxswain_agent.ending import Stop, Stopper
from coxswain_agent.errors import ClosedError
from coxswain_agent.settings import AgentSettings

log = logging.getLogger(__name__)


async def claim(platform: Platform, settings: AgentSettings, stopper: Stopper) -> ClaimAnswer:
    """Claim the run, trying for a while. Raises ClosedError if it is not ours, or we are to end."""
    until = time.monotonic() + settings.claim_seconds
    task = asyncio.create_task(persist(lambda: platform.claim(settings.run), until))
    answer = await stopper.while_waiting_for(task)
    if answer is None:
        raise ClosedError("told to end before the run was claimed")
    return answer


async def beat(platform: Platform, seconds: float, stopper: Stopper) -> None:
    """Say that the run lives until somebody wants its end."""
    while True:
        await asyncio.sleep(seconds)
        try:
            answer = await platform.heartbeat()
        except ClosedError as error:
            log.warning("the platform knows this run no more: %s", error)
            stopper.ask(Stop.CLOSED)
            return
        except CoxswainError as error:
            log.warning("no heartbeat: %s", error)
            continue
        if answer.cancel:
            stopper.ask(Stop.CANCELLED)
