"""Many who want one lease, with pauses, wrong clocks and lost answers; the event log is the judge.

Positions of the log are the order of commits. So a token was given out twice if two acquisitions in
the log have it, and a stale write was accepted if one stands behind the acquisition of a larger token.

Each worker has a clock of its own, up to an hour off and up to twice as fast, which is set anew, and
wrong again, now and then. It alone tells the worker whether it still holds the lease, and when to
renew it; a renewal that is refused it does not believe either.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random

from coxswain.api.records import Lease, LeaseHolder
from coxswain.errors import ConflictError
from coxswain.store import events, fencing, uuid7
from coxswain.store.events import Event, Filter
from coxswain.store.leases.holding import Refused
from coxswain.store.pool import Connection
from tests.support import replay
from tests.support.leases import Leases

NAME = "deploy"
WRITE = "user.write"
TTL_SECONDS = 30
MARGIN_SECONDS = 10
"""Time that passes by itself while a test runs: nothing is said of a lease so near to its end."""
PAUSES = (8, 20, 31, 3600)


@dataclass
class History:
    """What came of it."""

    handovers: int = 0
    accepted: int = 0
    refused: int = 0
    renewed: int = 0
    lost_answers: int = 0
    pauses: int = 0
    believed_too_long: int = 0
    """Looks at a clock that made a worker go on after its time was over."""
    given_up_early: int = 0
    """The same that made one stop before."""
    double_tokens: int = 0
    stale_writes: int = 0
    kept_wrongly: int = 0
    """Renewals of what was over, or another's by then, that were accepted."""
    lost_wrongly: int = 0
    """Renewals and writes in time that were refused."""
    is_replayed: bool = False
    """Whether the events alone give the row as it is at the end."""


@dataclass
class Passing:
    """The seconds that were let pass, for all. What is begun and not done may count or not yet."""

    begun: float = 0
    done: float = 0


@dataclass
class Clock:
    """A worker's own."""

    random: Random
    off: float = 0
    rate: float = 1
    set_at: float = 0

    def is_set(self, now: float) -> None:
        """Somebody sets it, more or less wrong."""
        self.off = self.random.choice((0, 30, 3600)) * self.random.uniform(-1, 1)
        self.rate = self.random.uniform(0.5, 2)
        self.set_at = now

    def reads(self, now: float) -> float:
        """What it shows."""
        return self.set_at + self.off + (now - self.set_at) * self.rate


@dataclass(frozen=True)
class Held:
    """A lease as its worker knows it, and between which times it truly ends."""

    token: int
    believed: float
    earliest: float
    latest: float


@dataclass
class Contest:
    """``wanted`` hand-overs of one lease among ``workers``."""

    leases: Leases
    wanted: int
    workers: int = 8
    history: History = field(default_factory=History)
    passing: Passing = field(default_factory=Passing)
    token: int = 0
    """The largest one that anybody was told."""

    async def run(self, seed: int = 0) -> History:
        """Play it, then judge."""
        made = await self.leases.has(NAME, ttl_seconds=TTL_SECONDS)
        async with asyncio.TaskGroup() as group:
            for number in range(self.workers):
                random = Random(f"{seed}/{number}")  # noqa: S311 - chance of a test
                holder = LeaseHolder.of_user("worker", str(number))
                group.create_task(Worker(self, holder, made.uid, random, Clock(random)).works())
        await self._judge(made.uid)
        return self.history

    async def passes(self, seconds: float) -> None:
        """Let time pass, for the lease and all clocks."""
        self.passing.begun += seconds
        await self.leases.passes(seconds, NAME)
        self.passing.done += seconds

    async def _judge(self, uid: str) -> None:
        latest = 0
        told = await self._told(uid)
        for each in told:
            token = int(each.details["token"])
            if each.type == "lease.acquired":
                self.history.handovers += 1
                self.history.double_tokens += token <= latest
                latest = max(latest, token)
            elif each.type == WRITE:
                self.history.stale_writes += token < latest
        row, found = await self.leases.row(NAME), replay.of_lease(told)
        holder = row.holder.text if row.holder is not None else None
        recorded = (row.state, holder, row.token)
        self.history.is_replayed = (found.state, found.holder, found.token) == recorded

    async def _told(self, uid: str) -> list[Event]:
        position, told = 0, []
        while True:
            page = await self.leases.operator.run(events.after, position, Filter(uid=uid))
            told += [each.event for each in page.events]
            if not page.more:
                return told
            position = page.next


@dataclass
class Worker:
    """One who wants the lease again and again."""

    contest: Contest
    holder: LeaseHolder
    uid: str
    random: Random
    clock: Clock

    async def works(self) -> None:
        """Take it, keep it, write under it and let go of it, until there were enough hand-overs."""
        while self.contest.token < self.contest.wanted:
            if self._happens(0.1):
                self.clock.is_set(self.contest.passing.done)
            held = await self._takes()
            if held is None:
                continue
            for _ in range(self.random.randrange(4)):
                if self._happens(0.4):
                    await self._is_paused()
                if not self._believes(held):
                    break
                held = await self._keeps(held)
                await self._writes(held)
            await self._lets_go(held.token)

    def _happens(self, chance: float) -> bool:
        return self.random.random() < chance

    async def _takes(self) -> Held | None:
        leases, history = self.contest.leases, self.contest.history
        while True:
            begun = self.contest.passing.done
            answer = await leases.asks(self.holder, NAME, wait=5 if self._happens(0.5) else 0)
            if self._happens(0.2):
                history.lost_answers += 1
                continue
            if isinstance(answer, Refused):
                await asyncio.sleep(0)
                return None
            self.contest.token = max(self.contest.token, answer.token)
            return self._held(answer, begun)

    def _held(self, lease: Lease, begun: float) -> Held:
        assert lease.expires_at is not None
        left = (lease.expires_at - lease.read_at).total_seconds()
        latest = self.contest.passing.begun + left
        return Held(lease.token, latest, begun + left, latest)

    async def _is_paused(self) -> None:
        """Perhaps for longer than its time: whoever holds it then loses it."""
        self.contest.history.pauses += 1
        await self.contest.passes(self.random.choice(PAUSES))
        if self._happens(0.5):
            await self.contest.leases.lapse()
        await asyncio.sleep(self.random.random() * 0.01)

    def _believes(self, held: Held) -> bool:
        """Whether its own clock says that it still holds it."""
        history, passing = self.contest.history, self.contest.passing
        believes = self.clock.reads(passing.done) < held.believed
        history.believed_too_long += believes and passing.done >= held.latest
        history.given_up_early += not believes and self._is_in_time(held)
        return believes

    def _is_in_time(self, held: Held) -> bool:
        return self.contest.passing.begun < held.earliest - MARGIN_SECONDS

    async def _keeps(self, held: Held) -> Held:
        """Renew it, once half of its time is over by its own clock."""
        history, passing = self.contest.history, self.contest.passing
        if self.clock.reads(passing.done) < held.believed - TTL_SECONDS / 2:
            return held
        is_over = passing.done >= held.latest or self.contest.token > held.token
        begun = passing.done
        try:
            lease = await self.contest.leases.renews(self.holder, held.token, NAME)
        except ConflictError:
            history.lost_wrongly += self._is_in_time(held)
            return held
        history.renewed += 1
        history.kept_wrongly += is_over
        renewed = self._held(lease, begun)
        if self._happens(0.2):
            history.lost_answers += 1
            return replace(renewed, believed=held.believed)
        return renewed

    async def _writes(self, held: Held) -> None:
        history = self.contest.history
        event = Event(
            id=uuid7.new(datetime.now(UTC)),
            type=WRITE,
            actor="user:worker",
            workspace="team",
            kind="Lease",
            name=NAME,
            uid=self.uid,
            details={"token": held.token},
        )

        async def write(connection: Connection) -> None:
            await fencing.require(connection, "team", {NAME: held.token})
            await events.append(connection, [event])

        try:
            await self.contest.leases.sidecar.transact(write)
            history.accepted += 1
        except ConflictError:
            history.refused += 1
            history.lost_wrongly += self._is_in_time(held)

    async def _lets_go(self, token: int) -> None:
        for _ in range(2 if self._happens(0.2) else 1):
            try:
                await self.contest.leases.lets_go(self.holder, token, NAME)
            except ConflictError:
                self.contest.history.refused += 1
