"""Many who want one lease, with pauses, wrong clocks and lost answers; the event log is the judge.

Positions of the log are the order of commits. So a token was given out twice if two acquisitions in
the log have it, and a stale write was accepted if one stands behind the acquisition of a larger token.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from coxswain.api.records import Lease, LeaseHolder
from coxswain.errors import ConflictError
from coxswain.store import events, fencing, uuid7
from coxswain.store.events import Event, Filter
from coxswain.store.leases.holding import Refused
from coxswain.store.pool import Connection
from tests.support.leases import Leases

NAME = "deploy"
WRITE = "user.write"


@dataclass
class History:
    """What came of it."""

    handovers: int = 0
    accepted: int = 0
    refused: int = 0
    lost_answers: int = 0
    pauses: int = 0
    double_tokens: int = 0
    stale_writes: int = 0


@dataclass
class Contest:
    """``wanted`` hand-overs of one lease among ``workers``."""

    leases: Leases
    wanted: int
    workers: int = 8
    history: History = field(default_factory=History)
    token: int = 0

    async def run(self, seed: int = 0) -> History:
        """Play it, then judge."""
        made = await self.leases.has(NAME)
        async with asyncio.TaskGroup() as group:
            for number in range(self.workers):
                worker = LeaseHolder.of_user("worker", str(number))
                group.create_task(self._works(worker, made.uid, Random(f"{seed}/{number}")))  # noqa: S311
        await self._judge(made.uid)
        return self.history

    async def _works(self, worker: LeaseHolder, uid: str, random: Random) -> None:
        while self.token < self.wanted:
            lease = await self._takes(worker, random)
            if lease is None:
                continue
            for _ in range(random.randrange(3)):
                # A wrong clock: it writes on whatever its lease says, and asks nobody for the time.
                if random.random() < 0.4:
                    await self._is_paused(random)
                await self._writes(uid, lease.token)
            await self._lets_go(worker, lease.token, random)

    async def _takes(self, worker: LeaseHolder, random: Random) -> Lease | None:
        while True:
            answer = await self.leases.asks(worker, NAME, wait=5 if random.random() < 0.5 else 0)
            if random.random() < 0.2:
                self.history.lost_answers += 1
                continue
            if isinstance(answer, Refused):
                await asyncio.sleep(0)
                return None
            self.token = max(self.token, answer.token)
            return answer

    async def _is_paused(self, random: Random) -> None:
        """Longer than its time: whoever holds it now loses it."""
        self.history.pauses += 1
        await self.leases.passes(31, NAME)
        if random.random() < 0.5:
            await self.leases.lapse()
        await asyncio.sleep(random.random() * 0.01)

    async def _writes(self, uid: str, token: int) -> None:
        event = Event(
            id=uuid7.new(datetime.now(UTC)),
            type=WRITE,
            actor="user:worker",
            workspace="team",
            kind="Lease",
            name=NAME,
            uid=uid,
            details={"token": token},
        )

        async def write(connection: Connection) -> None:
            await fencing.require(connection, "team", {NAME: token})
            await events.append(connection, [event])

        try:
            await self.leases.sidecar.transact(write)
            self.history.accepted += 1
        except ConflictError:
            self.history.refused += 1

    async def _lets_go(self, worker: LeaseHolder, token: int, random: Random) -> None:
        for _ in range(2 if random.random() < 0.2 else 1):
            try:
                await self.leases.lets_go(worker, token, NAME)
            except ConflictError:
                self.history.refused += 1

    async def _judge(self, uid: str) -> None:
        position, latest = 0, 0
        while True:
            page = await self.leases.operator.run(events.after, position, Filter(uid=uid))
            for each in page.events:
                token = int(each.event.details["token"])
                if each.event.type == "lease.acquired":
                    self.history.handovers += 1
                    self.history.double_tokens += token <= latest
                    latest = max(latest, token)
                elif each.event.type == WRITE:
                    self.history.stale_writes += token < latest
            if not page.more:
                return
            position = page.next
