"""A leader of Schedules over a real Postgres, with an API server that only exists on paper.

    world = ScheduleWorld(store, random)
    await world.leads()                              # again and again: each time a new leader
    world.has(builders.schedule("s").with_interval(60))
    await world.passes()                             # until nothing is left to do now
    world.now += timedelta(hours=1)
    world.deaths = 3                                 # the third change from now on is the last

Time and chance are the test's. A leader that dies does so before or after a change, as a process
that is killed: memory is gone, rows and objects stand.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest_asyncio
from typing_extensions import override

from coxswain.api.ticks import Tick
from coxswain.errors import ConflictError, CoxswainError, NotFoundError, UnavailableError
from coxswain.reconcile import act, intake
from coxswain.reconcile import key as keys
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.displaced import Displaced
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.journal import row_of
from coxswain.reconcile.key import Key
from coxswain.reconcile.loop import difference
from coxswain.reconcile.pace import Pace
from coxswain.reconcile.tick_act import JobRefusedError, TickActor
from coxswain.reconcile.tick_records import TickRecords
from coxswain.rules import flags
from coxswain.store import mirror, ticks
from coxswain.store.flags import Switch
from coxswain.store.pool import Store
from coxswain_controllers.schedule.room import ScheduleRoom
from tests.support.builders import Builder

Body = dict[str, Any]
BEGIN = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
MOST_PASSES = 400


class DiedError(Exception):
    """The leader was killed."""


@dataclass
class PaperServer:
    """Jobs and Schedules by path."""

    die: Callable[[], None]
    objects: dict[str, Body] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    """How often a Job of each name was ever made."""
    asked: list[str] = field(default_factory=list)
    """Every name that a Job was to be made under, as often as that."""
    version: int = 100
    refusal: CoxswainError | None = None
    """What it says to every Job that is to be made."""
    loses_answers: bool = False
    """Whether it makes what it is asked to make, and nobody hears of it."""

    async def get(self, path: str, _params: Any = None) -> Body:
        """Read an object."""
        if path not in self.objects:
            raise NotFoundError(f"GET {path}")
        return self.objects[path]

    async def create(self, path: str, body: Body) -> Body:
        """Make an object."""
        self.die()
        self.asked.append(body["metadata"]["name"])
        if self.refusal is not None:
            raise self.refusal
        place = f"{path}/{body['metadata']['name']}"
        if place in self.objects:
            raise ConflictError(f"POST {place}", code="already_exists")
        self.made[body["metadata"]["name"]] += 1
        made = self.keep(place, {**body, "metadata": {**body["metadata"], "uid": str(uuid4())}})
        if self.loses_answers:
            raise UnavailableError("the connection broke")
        self.die()
        return made

    async def delete(self, path: str, **_: Any) -> None:
        """Delete an object."""
        self.objects.pop(path, None)

    def keep(self, place: str, body: Body) -> Body:
        """Store the next version of an object."""
        self.version += 1
        metadata = {
            "creationTimestamp": BEGIN.isoformat(),
            **body["metadata"],
            "resourceVersion": str(self.version),
        }
        self.objects[place] = {**body, "metadata": metadata}
        return self.objects[place]

    def all(self, kind: str) -> list[Body]:
        """Every object of a kind."""
        return [each for each in self.objects.values() if each["kind"] == kind]


class MortalRecords(TickRecords):
    """Records whose writer may die before or after each of them."""

    def __init__(self, fence: Fence, die: Callable[[], None]) -> None:
        super().__init__(fence)
        self._die = die

    @override
    async def keep(self, change: Any) -> None:
        await self._mortal(lambda: super(MortalRecords, self).keep(change))

    @override
    async def settle(self, fired: Any) -> None:
        await self._mortal(lambda: super(MortalRecords, self).settle(fired))

    @override
    async def refuse(self, refused: Any) -> None:
        await self._mortal(lambda: super(MortalRecords, self).refuse(refused))

    async def _mortal(self, write: Callable[[], Awaitable[None]]) -> None:
        self._die()
        await write()
        self._die()


class ScheduleWorld:
    """One installation and its leaders, one after the other."""

    def __init__(self, store: Store, random: Random) -> None:
        self.store = store
        self.random = random
        self.now = BEGIN
        self.epoch = 0
        self.deaths = 0
        """Counts down with each change; the leader dies when it comes to nought."""
        self.server = PaperServer(self._die)
        self.mode = "dev"
        self.schedules_enabled = True
        self.per_second = 100_000

    def _die(self) -> None:
        if self.deaths > 0:
            self.deaths -= 1
            if self.deaths == 0:
                raise DiedError

    async def leads(self) -> None:
        """Another leader takes over: nothing is left of the former one's memory."""
        self.deaths = 0
        self.epoch += 1
        fence = Fence(self.store, "tests")
        fence.begin(self.epoch)
        assert await fence.take() == 0
        self.cache = Cache(intake.group_of)
        self.woken: list[Key] = []
        self.displaced = Displaced(self.woken.append)
        self.records = MortalRecords(fence, self._die)
        self.pace = Pace(self.per_second, lambda: (self.now - BEGIN).total_seconds())
        world = SimpleNamespace(
            cache=self.cache,
            client=self.server,
            ticks=self.records,
            journal=SimpleNamespace(holds=lambda *_: True),
            pace=self.pace,
            schedules=Switch(self.store, flags.SCHEDULES, self, kept_seconds=0),
        )
        self.room = ScheduleRoom(cast("Any", world))
        made = TickActor(
            cast("Any", self.server),
            self._made,
            self.records,
            self.displaced,
            lambda: self.now,
        )
        self.actor = act.Actor(
            cast("Any", self.server), self.cache, cast("Any", None), cast("Any", None), made
        )
        for raw in self.server.objects.values():
            self.cache.put(raw["kind"], raw)

    def _made(self, raw: Raw) -> None:
        self.cache.put("Job", raw)

    def has(self, builder: Builder) -> Key:
        """Somebody applies a Schedule."""
        raw = {**builder.raw, "status": {}}
        raw["metadata"] = {"creationTimestamp": self.now.isoformat(), **raw["metadata"]}
        raw["metadata"]["creationTimestamp"] = self.now.isoformat()
        self._put(raw)
        return keys.of("Schedule", raw)

    def change(self, key: Key, **spec: Any) -> None:
        """Somebody edits a Schedule; None takes a field away."""
        raw = self.raw(key)
        wanted = {k: v for k, v in {**raw["spec"], **spec}.items() if v is not None}
        metadata = {**raw["metadata"], "generation": raw["metadata"]["generation"] + 1}
        self._put({**raw, "metadata": metadata, "spec": wanted})

    def annotate(self, key: Key, **annotations: str | None) -> None:
        """Somebody annotates a Schedule."""
        raw = self.raw(key)
        found = {**raw["metadata"].get("annotations", {}), **annotations}
        kept = {name: text for name, text in found.items() if text is not None}
        self._put({**raw, "metadata": {**raw["metadata"], "annotations": kept}})

    def raw(self, key: Key) -> Body:
        """A Schedule as stored."""
        return self.server.objects[f"schedules/{key.uid}"]

    def _put(self, raw: Body) -> None:
        metadata = raw["metadata"]
        self.cache.put("Schedule", self.server.keep(f"schedules/{metadata['uid']}", raw))

    async def passes(self, *wanted: Key) -> None:
        """Make passes over these Schedules, or all, until there is nothing to do now."""
        found = wanted or tuple(keys.of("Schedule", raw) for raw in self.server.all("Schedule"))
        for key in found:
            for _ in range(MOST_PASSES):
                if not await self.make_pass(key):
                    break
            else:
                raise AssertionError(f"{key.name} never comes to rest")

    async def make_pass(self, key: Key) -> bool:
        """One pass as the loop makes it; tell whether another one is due at once.

        What is only refused for now is not.
        """
        snapshot = await self.room.observe(key)
        assert snapshot is not None
        decision = self.room.decide(snapshot, self.now)
        settled = False
        for action in decision.actions:
            try:
                await self.actor.carry_out(action)
            except JobRefusedError as error:
                settled = settled or error.is_settled
        raw: Raw = self.raw(key)
        if decision.status is not None and difference(raw.get("status") or {}, decision.status):
            self._die()
            self._put({**raw, "status": decision.status})
        self.wake_at = decision.wake_at
        return settled or (decision.wake_at is not None and decision.wake_at <= self.now)

    def jobs(self, *phases: str) -> list[Body]:
        """The Jobs that are there, by the order of their making."""
        found = [raw for raw in self.server.all("Job") if _phase(raw) in phases or not phases]
        return sorted(found, key=lambda raw: int(raw["metadata"]["resourceVersion"]))

    async def ends(self, job: Body, phase: str = "Succeeded", answer: str | None = None) -> None:
        """A Job ends, and the records know of it."""
        result = {} if answer is None else {"result": {"answer": answer}}
        status = {"phase": phase, "finishedAt": self.now.isoformat(), **result}
        changed = self.server.keep(_place(job), {**job, "status": status})
        await self.store.transact(mirror.write, [row_of("Job", changed)], [])
        self.cache.put("Job", changed)

    async def vanishes(self, job: Body) -> None:
        """A Job is deleted, and the records know of it."""
        await self.store.transact(mirror.write, [row_of("Job", job)], [])
        await self.store.transact(mirror.mark_deleted, [job["metadata"]["uid"]], [])
        self.server.objects.pop(_place(job), None)
        self.cache.remove("Job", job)

    async def rows(self, key: Key) -> list[Tick]:
        """Every row of a Schedule's ticks, oldest first."""
        found: list[Tick] = []
        place = None
        while page := await self.store.run(ticks.page, key.uid, place, limit=1000):
            found += page
            place = ticks.Place(page[-1].at, page[-1].id)
        return found[::-1]

    async def told(self, key: Key) -> list[str]:
        """The same in short: the tick, what came of it and why, and how many."""
        return [
            f"{row.at:%H:%M:%S} {row.outcome}"
            + (f"/{row.reason}" if row.reason else "")
            + (f" x{row.count}" if row.count > 1 else "")
            for row in await self.rows(key)
        ]

    async def through(self, key: Key) -> datetime:
        """How far the ticks of a Schedule have come in."""
        (found,) = await self.store.run(ticks.standing, [key.uid])
        assert found.state is not None
        return found.state.through

    async def minutes(self, count: int) -> None:
        """Let minutes pass, one after the other, with passes after each."""
        for _ in range(count):
            self.later(minutes=1)
            await self.passes()

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@pytest_asyncio.fixture
async def world(operator_store: Store) -> ScheduleWorld:
    """An installation that somebody leads."""
    made = ScheduleWorld(operator_store, Random(1))  # noqa: S311 - chance of a test
    await made.leads()
    return made


def _phase(raw: Body) -> str:
    return str((raw.get("status") or {}).get("phase", ""))


def _place(job: Body) -> str:
    metadata = job["metadata"]
    return f"/apis/coxswain.dev/v1alpha1/namespaces/{metadata['namespace']}/jobs/{metadata['name']}"
