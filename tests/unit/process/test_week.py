"""A week of waiting in seconds: whatever waits takes its clock, and asyncio's own time is passed at once."""

import asyncio
import itertools
from collections.abc import Callable
from typing import cast

from coxswain.kube.client import Client
from coxswain.process.election import Election, Pace
from coxswain.process.watchdog import Watchdog
from tests.support import fast_time
from tests.unit.process.test_election import Leases

WEEK = 7 * 24 * 3600.0
LIFE = 6 * 3600.0
# A minute for a second of the real pace: a week has fewer renewals.
PACE = Pace.of(15 * 60)


class Week:
    """Two candidates for one lease; each leader freezes after some hours, and wakes much later."""

    def __init__(self, time: Callable[[], float]) -> None:
        self.time = time
        self.leases = Leases()
        self.reigns: list[tuple[float, float, int]] = []

    def candidate(self, name: str) -> Election:
        client = cast("Client", self.leases)
        place = {"namespace": "coxswain-system", "name": "lease"}
        return Election(client, **place, identity=name, pace=PACE, clock=self.time)

    async def stand(self, name: str) -> None:
        """Lead, freeze, and begin anew, for ever."""
        while True:
            election, dog = self.candidate(name), Watchdog(PACE.deadline_seconds)
            epoch = await election.acquire()
            began = self.time()
            try:
                async with asyncio.timeout(LIFE):
                    await election.hold(dog.feed)
            except TimeoutError:
                # Frozen: from here on only the watchdog counts.
                await self.overdue(dog)
            self.reigns.append((began, self.time(), epoch))
            await asyncio.sleep(PACE.duration_seconds)

    async def overdue(self, dog: Watchdog) -> None:
        """Look each second, as the thread of a process does four times in one."""
        for _ in range(int(PACE.deadline_seconds) + 2):
            if dog.is_overdue(self.time()):
                return
            await asyncio.sleep(1)
        raise AssertionError("the watchdog slept")

    async def pass_by(self) -> None:
        tasks = [asyncio.create_task(self.stand(name)) for name in ("one", "other")]
        await asyncio.sleep(WEEK)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_in_a_week_of_dying_leaders_two_never_lead_at_once() -> None:
    weeks: list[Week] = []

    async def begin(time: Callable[[], float]) -> None:
        weeks.append(Week(time))
        await weeks[0].pass_by()

    fast_time.run(begin)
    reigns = weeks[0].reigns
    assert len(reigns) >= WEEK // (LIFE + 2 * PACE.duration_seconds)
    assert [epoch for _, _, epoch in reigns] == list(range(1, len(reigns) + 1))
    for (_, ended, _), (began, _, _) in itertools.pairwise(reigns):
        assert ended < began <= ended + PACE.duration_seconds
