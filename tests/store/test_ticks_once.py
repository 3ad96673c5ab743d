"""Every tick has exactly one outcome, whatever happens: a walk by chance over a real Postgres.

COXSWAIN_TICKS=100000 COXSWAIN_RESTARTS=1000 hack/test store -- -k exactly_one_outcome -s
"""

import os
from collections import Counter
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from coxswain.reconcile.key import Key
from coxswain.store.pool import Store
from tests.support import builders, clocks
from tests.support.builders import ScheduleBuilder
from tests.support.schedule_world import BEGIN, DiedError, ScheduleWorld

TICKS = int(os.environ.get("COXSWAIN_TICKS", "1500"))
RESTARTS = int(os.environ.get("COXSWAIN_RESTARTS", "30"))
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


class Walk:
    """What happens to a leader and its Schedules, by chance."""

    def __init__(self, world: ScheduleWorld, random: Random) -> None:
        self.world = world
        self.random = random
        self.restarts = 0
        self.keys = {name: world.has(each) for name, each in schedules().items()}

    async def step(self) -> None:
        chance = self.random.random()
        if chance < 0.5:
            self.world.later(seconds=self.random.choice((1, 20, 60, 61, 180)))
        elif chance < 0.55:
            self.world.later(hours=self.random.choice((1, 5)))
        elif chance < 0.57:
            self.world.later(days=self.random.choice((-1, 1)))
        elif chance < 0.70:
            await self._a_job_ends()
        elif chance < 0.76:
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
        for job in self.random.sample(running, min(len(running), 3)):
            phase = self.random.choice(("Succeeded", "Failed", "Cancelled"))
            await self.world.ends(job, phase)

    async def _a_job_goes(self) -> None:
        """By its time to live, or by a person while it runs."""
        jobs = self.world.jobs()
        for job in self.random.sample(jobs, min(len(jobs), 4)):
            await self.world.vanishes(job)

    async def come_to_rest(self) -> None:
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
        raise AssertionError("some tick never gets its outcome")

    async def _open(self, key: Key) -> list[str]:
        return [row.id for row in await self.world.rows(key) if row.outcome is None]


def wanted(name: str, through: datetime) -> list[datetime]:
    """The ticks up to there, found without the platform's code."""
    if name == "cron":
        return clocks.fires(LINE, ZoneInfo(ZONE), BEGIN + MINUTE, through)
    return [BEGIN + n * MINUTE for n in range(1, (through - BEGIN) // MINUTE + 1)]


async def test_every_tick_has_exactly_one_outcome(operator_store: Store) -> None:
    random = Random(20261129)  # noqa: S311 - chance of a test
    world = ScheduleWorld(operator_store, random)
    await world.leads()
    walk, seen = Walk(world, random), 0
    while seen < TICKS or walk.restarts < RESTARTS:
        await walk.step()
        if random.random() < 0.02:
            seen = sum([_counted(world, key) for key in walk.keys.values()])
    world.deaths = 0
    await walk.come_to_rest()
    total, outcomes = 0, Counter[str]()
    for name, key in walk.keys.items():
        rows = await world.rows(key)
        ticks = wanted(name, await world.through(key))
        by_time = {at: n for n, at in enumerate(ticks)}
        covered = Counter[datetime]()
        for row in rows:
            first = by_time[row.at]
            covered.update(ticks[first : first + row.count])
            assert ticks[first + row.count - 1] == row.through
            outcomes[str(row.outcome)] += row.count
            assert row.outcome is not None, (name, row)
            assert (row.job_name is not None) == (row.outcome == "Fired")
        assert covered == Counter(ticks), name
        total += len(ticks)
        made = {row.job_name for row in rows if row.outcome == "Fired"}
        assert made == {each for each in world.server.made if f"{name}-" in each[: len(name) + 1]}
    assert set(world.server.made.values()) == {1}
    assert walk.restarts >= RESTARTS
    print(f"\n{total} ticks, {walk.restarts} restarts, {dict(outcomes)}")


def _counted(world: ScheduleWorld, key: Key) -> int:
    status = world.raw(key)["status"]
    return sum(int(status.get(name, 0)) for name in ("fired", "missed", "skipped"))
