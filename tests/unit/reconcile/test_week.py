"""A week of Schedules in seconds, with the real loop and queue: each tick fires once, and in its time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from structlog.testing import capture_logs
from typing_extensions import override

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.ticks import ScheduleState, Standing, Tick
from coxswain.errors import UnavailableError
from coxswain.reconcile import actions, key
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.loop import Hands, Loop
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.workqueue import LONGEST_DELAY_SECONDS, WorkQueue
from coxswain_controllers.schedule import decide, form
from coxswain_controllers.schedule.room import ScheduleRoom
from coxswain_controllers.schedule.snapshot import ScheduleSnapshot
from tests.support import builders, fast_time
from tests.support.builders import CREATED, ScheduleBuilder

BEGIN = datetime.fromisoformat(CREATED)
WEEK = timedelta(days=7)
AVAILABLE = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")
READY = Seen(ConditionType.AGENT_READY, "True", "Ready")
SCHEDULES = (
    builders.schedule("steady").every(1800),
    builders.schedule("hourly").with_trigger(cron=["0 * * * *"]),
    builders.schedule("nightly").with_trigger(cron=["30 2 * * *"], timeZone="Europe/Berlin"),
)


@dataclass
class Records:
    """What is known of one Schedule."""

    state: ScheduleState | None = None
    ticks: dict[str, Tick] = field(default_factory=dict)
    fired_at: dict[datetime, list[datetime]] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        open_ones = [
            each
            for each in self.ticks.values()
            if each.outcome is None or (each.outcome == "Fired" and each.job_phase is None)
        ]
        return Standing(self.state, tuple(open_ones))


class Week(ScheduleRoom):
    """A room whose records are in memory, and the hands that fill them. At times nobody answers."""

    def __init__(self, time: Callable[[], float]) -> None:
        super().__init__(cast("Any", SimpleNamespace()))
        self.time = time
        self.passes = 0
        self.cache = Cache()
        self.records: dict[str, Records] = {}
        self.queue = WorkQueue(time, Random(1))  # noqa: S311 - jitter
        hands = Hands(
            client=cast("Any", self),
            cache=self.cache,
            journal=cast("Any", SimpleNamespace(publish=lambda *_: None)),
            actor=cast("Any", self),
            events=cast("Any", SimpleNamespace(post=lambda *_: None)),
        )
        self.loop = Loop(
            {self.kind: cast("Any", self)},
            self.queue,
            hands,
            self.now,
            lambda *_: None,
            reach=Reach(),
            on_unseen=self.queue.add,
            monotonic=time,
        )

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.time())

    def is_away(self) -> bool:
        """Whether the API server makes no Job: for an hour of every third day."""
        return self.now().hour == 12 and self.now().day % 3 == 0

    def has(self, schedule: ScheduleBuilder) -> None:
        raw = schedule.raw
        self.cache.put("Schedule", raw)
        self.records[raw["metadata"]["uid"]] = Records()
        self.queue.add(key.of("Schedule", raw))

    @override
    async def observe(self, key: Key) -> ScheduleSnapshot | None:
        self.passes += 1
        raw = self.cache.get("Schedule", key.uid)
        assert raw is not None
        read = form.of_schedule(raw)
        return ScheduleSnapshot(
            key=key,
            metadata=read.metadata,
            readable=read.readable,
            status=read.status,
            template=raw["spec"]["jobTemplate"],
            standing=self.records[key.uid].standing,
            records=AVAILABLE,
            agent=READY,
        )

    @override
    def decide(self, snapshot: ScheduleSnapshot, now: datetime) -> Decision:
        return decide.decide(snapshot, now)

    async def carry_out(self, action: actions.Action) -> None:
        """Act, as the actor does."""
        if isinstance(action, actions.KeepTicks):
            known = self.records[action.change.uid]
            known.state = action.change.state
            known.ticks |= {each.id: each for each in action.change.ticks}
        elif isinstance(action, actions.FireTick):
            if self.is_away():
                raise UnavailableError("the API server does not answer")
            known, tick = self.records[action.uid], action.tick
            known.fired_at.setdefault(tick.at, []).append(self.now())
            done = tick.settled("Fired", "", self.now())
            known.ticks[tick.id] = replace(done, job_phase="Succeeded")

    async def patch(self, _path: str, body: Mapping[str, Any]) -> Raw:
        """Write a status, as the client does."""
        found = next(
            each
            for each in self.cache.all("Schedule")
            if each["metadata"]["uid"] == body["metadata"]["uid"]
        )
        status = {**found.get("status", {}), **body["status"]}
        version = str(int(found["metadata"]["resourceVersion"]) + 1)
        metadata = {**found["metadata"], "resourceVersion": version}
        kept = {name: each for name, each in status.items() if each is not None}
        return {**found, "metadata": metadata, "status": kept}

    async def pass_by(self) -> None:
        for each in SCHEDULES:
            self.has(each.with_spec(overlap="AllowAll"))
        working = asyncio.create_task(self.loop.work(2))
        await asyncio.sleep(WEEK.total_seconds() + 1)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


def week() -> Week:
    """One that has passed."""
    passed: list[Week] = []

    async def begin(time: Callable[[], float]) -> None:
        passed.append(Week(time))
        await passed[0].pass_by()

    with capture_logs():
        fast_time.run(begin)
    return passed[0]


def test_in_a_week_each_tick_fires_once_and_in_its_time() -> None:
    lived = week()
    fired = {
        name: lived.records[builders.uid_of("Schedule", name)].fired_at
        for name in ("steady", "hourly", "nightly")
    }
    counts = {name: len(each) for name, each in fired.items()}
    assert counts == {"steady": 7 * 48, "hourly": 7 * 24, "nightly": 7}
    patience = timedelta(seconds=LONGEST_DELAY_SECONDS + 1)
    for ticks in fired.values():
        for at, times in ticks.items():
            assert len(times) == 1
            was_away = at.hour == 12 and at.day % 3 == 0
            due = at.replace(hour=13, minute=0) if was_away else at
            assert due <= times[0].astimezone(UTC) <= due + patience
    # Nobody turns round and round: a pass for each tick, and some for what failed.
    assert lived.passes < 3 * sum(counts.values()) + 3 * 3 * 150
