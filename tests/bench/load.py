"""The load on a side: Jobs at once or at a fixed rate, and when each was seen in its end.

Ends are seen by a watch of the load's own. A Job's time counts from when its creation was sent, or,
at a fixed rate, from when it was due to be, so a slow answer makes none of the next ones look faster.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from coxswain.kube.client import Client
from coxswain.kube.watch import Change, Hears, Stream
from tests.bench.sides import Side

CREATORS = 32
LONGEST_SECONDS = 300.0


@dataclass
class Done:
    """When each Job was begun, and when it was seen in its end."""

    begun: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    @property
    def milliseconds(self) -> list[float]:
        """From begin to end, of each."""
        return [1000 * (self.ended[name] - at) for name, at in self.begun.items()]

    @property
    def per_second(self) -> float:
        """From the first begin to the last end."""
        return len(self.begun) / (max(self.ended.values()) - min(self.begun.values()))


class Ends:
    """Watches a side's Jobs while it is entered. Times are those of ``time.monotonic``."""

    def __init__(self, client: Client, side: Side) -> None:
        self.at: dict[str, float] = {}
        self.events: Counter[str] = Counter()
        """Changes of each Job that were told since it was entered."""
        self.first = 0.0
        """When the first of them was told."""
        self._side = side
        self._stream = Stream(client, side.path, None, Hears(self._listed, self._changed))
        self._wanted = 0
        self._are_enough = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._stream.list()
        self._watching = asyncio.create_task(self._stream.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)

    async def until(self, total: int, seconds: float = LONGEST_SECONDS) -> None:
        """Wait until so many have ended in all. Raises AssertionError after so many seconds."""
        self._wanted = total
        self._are_enough.clear()
        if len(self.at) < total:
            seen = asyncio.create_task(self._are_enough.wait())
            waits = {seen, self._watching}
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            seen.cancel()
        if self._watching.done():
            self._watching.result()
        assert len(self.at) >= total, f"{total - len(self.at)} Jobs have not ended"

    def begin_anew(self) -> None:
        """Forget the changes that were told so far."""
        self.events.clear()
        self.first = 0.0

    def _listed(self, raws: Sequence[Any], _version: int) -> None:
        for raw in raws:
            self._note(raw)

    def _changed(self, change: Change) -> None:
        self.first = self.first or time.monotonic()
        self.events[change.raw["metadata"]["name"]] += 1
        self._note(change.raw)

    def _note(self, raw: Any) -> None:
        name = raw["metadata"]["name"]
        if name not in self.at and self._side.has_ended(raw):
            self.at[name] = time.monotonic()
            if len(self.at) >= self._wanted:
                self._are_enough.set()


async def at_once(client: Client, side: Side, ends: Ends, names: Sequence[str]) -> Done:
    """Make them as fast as so many creators can, and wait for their ends."""
    total = len(ends.at) + len(names)
    done = await make(client, side, names)
    await ends.until(total)
    done.ended = {name: ends.at[name] for name in names}
    return done


async def steady(
    client: Client, side: Side, ends: Ends, names: Sequence[str], per_second: float
) -> Done:
    """Make one after the other at fixed times, whatever becomes of those before."""
    done, total = Done(), len(ends.at) + len(names)
    start = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(names):
            done.begun[name] = start + number / per_second
            await asyncio.sleep(done.begun[name] - time.monotonic())
            group.create_task(client.create(side.path, side.job(name)))
    await ends.until(total)
    done.ended = {name: ends.at[name] for name in names}
    return done


async def make(client: Client, side: Side, names: Sequence[str]) -> Done:
    """Make them as fast as so many creators can."""
    done, left = Done(), iter(names)

    async def create() -> None:
        for name in left:
            done.begun[name] = time.monotonic()
            await client.create(side.path, side.job(name))

    await asyncio.gather(*(create() for _ in range(CREATORS)))
    return done
