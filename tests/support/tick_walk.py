"""A leader and its Schedules, by chance: it dies, time jumps, Jobs end and vanish. Every tick is judged.

The ticks that there should be are found without the platform's code.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from coxswain.api.schedule import ScheduleStatus
from coxswain.reconcile.key import Key
from coxswain.store import events
from coxswain.store.events import Event, Filter, Page
from coxswain.store.pool import Store
from tests.support import builders, clocks, replay
from tests.support.builders import ScheduleBuilder
from tests.support.schedule_world import BEGIN, DiedError, ScheduleWorld

POLICIES = ("Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll")
ZONE = "Europe/Berlin"
LINE = "*/5 * * * *"
MINUTE = timedelta(minutes=1)


def schedules() -> dict[str, ScheduleBuilder]:
    """One of each policy, and some that are hard in another way."""
    found = {
        policy.lower(): builders.schedule(policy.lower()).every(60).with_spec(overlap=policy)
        for policy in POLICIES
    }
    found["short"] = found["skip"].with_spec(catchUpWindowSeconds=600, startingDeadlineSeconds=300)
    found["jitter"] = found["bufferall"].with_spec(jitterSeconds=600)
    lines = builders.schedule("cron").with_trigger(cron=[LINE], timeZone=ZONE)
    found["cron"] = lines.with_spec(overlap="BufferOne")
    return {name: ScheduleBuilder("Schedule", name, spec=each.spec) for name, each in found.items()}


@dataclass
class History:
    """What came of it."""

    ticks: int
    restarts: int
    outcomes: dict[str, int]
    without: int
    """Ticks that no row stands for, or whose row has no outcome."""
    twice: int
    """Ticks in more than one row."""
    strays: int
    """Rows of ticks that there should not be, and Jobs of no tick or made more than once."""
    untold: int = 0
    """Schedules whose events do not give the state that was recorded of them."""


class Walk:
    """What happens to a leader and its Schedules, by chance."""

    def __init__(self, store: Store, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - chance of a test
        self.store = store
        self.world = ScheduleWorld(store, self.random)
        self.restarts = 0

    async def run(self, ticks: int, restarts: int) -> History:
        """Walk until there were so many of both, come to rest, then judge."""
        await self.world.leads()
        self.keys = {name: self.world.has(each) for name, each in schedules().items()}
        while self.restarts < restarts or self._counted() < ticks:
            await self._step()
        self.world.deaths = 0
        await self._come_to_rest()
        return await self._judge()

    def _counted(self) -> int:
        status = [self.world.raw(key)["status"] for key in self.keys.values()]
        return sum(each.get(name, 0) for each in status for name in ("fired", "missed", "skipped"))

    async def _step(self) -> None:
        chance = self.random.random()
        if chance < 0.45:
            self.world.later(seconds=self.random.choice((1, 20, 60, 61, 180)))
        elif chance < 0.47:
            self.world.later(hours=self.random.choice((1, 5)))
        elif chance < 0.48:
            self.world.later(days=self.random.choice((-1, 1)))
        elif chance < 0.61:
            await self._a_job_ends()
        elif chance < 0.67:
            await self._a_job_goes()
        else:
            self.world.deaths = self.random.randint(1, 12)
        await self._live()

    async def _live(self) -> None:
        try:
            await self.world.passes()
        except DiedError:
            self.restarts += 1
            await self.world.leads()

    async def _a_job_ends(self) -> None:
        running = self.world.jobs("")
        # As many as come in the long run, so that the walk's last step is as quick as its first.
        for job in self.random.sample(running, (len(running) + 1) // 2):
            phase = self.random.choice(("Succeeded", "Failed", "Cancelled"))
            await self.world.ends(job, phase)

    async def _a_job_goes(self) -> None:
        """By its time to live, or by a person while it runs."""
        jobs = self.world.jobs()
        for job in self.random.sample(jobs, min(len(jobs), 4)):
            await self.world.vanishes(job)

    async def _come_to_rest(self) -> None:
        """No tick comes in any more: none may stay without an outcome."""
        for key in self.keys.values():
            self.world.change(key, maxRuns=1)
        for _ in range(20):
            self.world.later(hours=2)
            for job in self.world.jobs(""):
                await self.world.ends(job)
            await self._live()
            if not self.world.jobs("") and not any(
                [await self._open(k) for k in self.keys.values()]
            ):
                return

    async def _told(self, key: Key) -> list[Event]:
        found: list[Event] = []
        page = Page((), 0, more=True)
        while page.more:
            page = await self.store.run(events.after, page.next, Filter(uid=key.uid))
            found += [each.event for each in page.events]
        return found

    async def _open(self, key: Key) -> list[str]:
        return [row.id for row in await self.world.rows(key) if row.outcome is None]

    async def _judge(self) -> History:
        history = History(0, self.restarts, {}, 0, 0, 0)
        made, outcomes = Counter(self.world.server.made), Counter[str]()
        for name, key in self.keys.items():
            ticks = wanted(name, await self.world.through(key))
            by_time, covered = {at: n for n, at in enumerate(ticks)}, Counter[datetime]()
            for row in await self.world.rows(key):
                first = by_time.get(row.at)
                span = [] if first is None else ticks[first : first + row.count]
                history.strays += span[-1:] != [row.through]
                if row.outcome is not None:
                    covered.update(span)
                    outcomes[row.outcome] += row.count
                history.strays += (row.job_name is not None) != (row.outcome == "Fired")
                made[row.job_name or ""] -= row.outcome == "Fired"
            history.ticks += len(ticks)
            status = ScheduleStatus.model_validate(self.world.raw(key)["status"])
            told = replay.of_schedule(await self._told(key))
            history.untold += told != replay.told_of_schedule(status)
            history.without += sum(covered[at] == 0 for at in ticks)
            history.twice += sum(count > 1 for count in covered.values())
        history.strays += sum(count != 0 for name, count in made.items() if name)
        history.outcomes = dict(outcomes)
        return history


def wanted(name: str, through: datetime) -> list[datetime]:
    """The ticks up to there, found without the platform's code."""
    if name == "cron":
        return clocks.fires(LINE, ZoneInfo(ZONE), BEGIN + MINUTE, through)
    return [BEGIN + n * MINUTE for n in range(1, (through - BEGIN) // MINUTE + 1)]
