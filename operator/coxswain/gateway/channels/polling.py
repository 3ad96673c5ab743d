"""Claims pages that are due and looks at them, many at a time. ``run`` is a task of the process.

Several replicas share the work: each claims what no other one has. A process that dies in a look
leaves a row that comes due again.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Protocol

from pydantic import ValidationError

from coxswain.api.triggers import ClaimedPoll, Looked, NewTrigger, Poll, PollState
from coxswain.errors import CoxswainError
from coxswain.rules import polls
from coxswain.rules.polls import Failure
from coxswain.telemetry import logs, metrics

# Longer than a look and its settling may take, so a claim is never lost by one that is at work.
LEASE_SECONDS = 120.0
TIDY_SECONDS = 60.0
SETTLE_SECONDS = 20.0
RETRY_SECONDS = 1.0
UNREADABLE_SECONDS = 600.0

log = logs.get(__name__)


class Pages(Protocol):
    """The rows of pages as one gateway uses them."""

    async def claim(self, limit: int, lease_seconds: float) -> Sequence[ClaimedPoll]:
        """Take what is due."""
        ...

    async def settle(
        self, claimed: ClaimedPoll, looked: Looked, trigger: NewTrigger | None
    ) -> bool:
        """Keep what came of a look."""
        ...

    async def tidy(self) -> None:
        """Drop what is of no use any more."""
        ...


class Looks(Protocol):
    """What looks at one page."""

    async def look(self, url: str) -> str | Failure:
        """The digest of its content."""
        ...


class Poller:
    """One for the process."""

    def __init__(
        self,
        pages: Pages,
        fetcher: Looks,
        *,
        at_once: int,
        round_seconds: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._pages = pages
        self._fetcher = fetcher
        self._at_once = at_once
        self._round_seconds = round_seconds
        self._chance = chance
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; looks that are under way then are given up, and come due again."""
        loop = asyncio.get_running_loop()
        tidy_at = loop.time()
        try:
            while True:
                try:
                    if loop.time() >= tidy_at:
                        await self._pages.tidy()
                        tidy_at = loop.time() + TIDY_SECONDS
                    await self._begin()
                except CoxswainError as error:
                    log.warning("pages cannot be claimed now", code=error.code)
                await asyncio.sleep(self._round_seconds)
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _begin(self) -> None:
        for done in [task for task in self._under_way if task.done()]:
            self._under_way.discard(done)
            done.result()
        room = self._at_once - len(self._under_way)
        claimed = await self._pages.claim(room, LEASE_SECONDS) if room > 0 else ()
        self._under_way |= {asyncio.create_task(self.look(each)) for each in claimed}

    async def look(self, claimed: ClaimedPoll) -> None:
        """Look at one page, and keep what came of it."""
        looked = await self._judged(claimed)
        trigger = _trigger(claimed, looked) if looked.fires else None
        metrics.POLLS.labels(_outcome(looked)).inc()
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                while not await self._is_settled(claimed, looked, trigger):  # noqa: ASYNC110
                    await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError:
            log.warning("a look is lost; it comes due again", schedule=claimed.schedule_name)

    async def _judged(self, claimed: ClaimedPoll) -> Looked:
        try:
            wanted = Poll.model_validate(claimed.spec.get("poll"))
        except ValidationError:
            # Older than the schema; the Schedule's own condition says so.
            failed = PollState(error=Failure.INVALID.value, failures=claimed.state.failures + 1)
            return Looked(failed, UNREADABLE_SECONDS)
        if claimed.spec.get("suspend"):
            return polls.at_rest(wanted)
        found = await self._fetcher.look(wanted.url)
        return polls.judge(wanted, claimed.state, found, self._chance())

    async def _is_settled(
        self, claimed: ClaimedPoll, looked: Looked, trigger: NewTrigger | None
    ) -> bool:
        try:
            await self._pages.settle(claimed, looked, trigger)
        except CoxswainError as error:
            log.warning("a look cannot be settled now", code=error.code)
            return False
        return True


def _trigger(claimed: ClaimedPoll, looked: Looked) -> NewTrigger:
    return NewTrigger(
        schedule_uid=claimed.schedule_uid,
        workspace=claimed.workspace,
        schedule_name=claimed.schedule_name,
        source="Poll",
        delivery_id=looked.state.digest,
        digest=looked.state.digest,
    )


def _outcome(looked: Looked) -> str:
    if looked.state.error:
        return looked.state.error
    return "changed" if looked.fires else "unchanged"
