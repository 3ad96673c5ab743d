"""Looks at everything from time to time, and repairs what a lost event hid.

A look compares the versions of what lives with memory. It comes often where it costs little: of all
time it takes one part in fifty at most. A sweep compares the mirror, too, and has a pass made over
all that has not ended; it comes once a minute.

A difference counts only if it is still there a moment later: an event may be on its way. Each
repair is counted; a count that is not zero says that a watch has lost something.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

import structlog

from coxswain.errors import CoxswainError, FencedError, ForbiddenError, NotFoundError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.reconcile import cache, mirrors, slim
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.intake import Intake
from coxswain.reconcile.room import Room
from coxswain.reconcile.world import World
from coxswain.telemetry import metrics

log = structlog.get_logger()

MISSED_SECONDS = 5.0
SETTLE_SECONDS = 2.0
LOOK_SECONDS = 5.0
"""Between two looks, and more where one takes long."""
LOOK_SHARE = 50
"""Between two looks lies so many times what the last one took."""
SCHEDULE_SHARES = 10
"""Each sweep looks at one of so many shares of the Schedules: they know when to look themselves."""


class Swept(NamedTuple):
    """A kind to sweep: its plural, and the labels that select ours."""

    kind: str
    plural: str
    selector: str | None = None


class Sweeper:
    """Compares cluster, memory and mirror."""

    def __init__(
        self,
        world: World,
        intake: Intake,
        rooms: Mapping[str, Room[Any]],
        kinds: tuple[Swept, ...],
        random: Random,
        *,
        period_seconds: float,
        settle_seconds: float = SETTLE_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._world = world
        self._intake = intake
        self._rooms = rooms
        self._kinds = kinds
        self._random = random
        self._period_seconds = period_seconds
        self._settle_seconds = settle_seconds
        self._look_seconds = look_seconds
        self._took_seconds = 0.0
        self._sweeps = 0
        for each in kinds:
            metrics.SWEEP_REPAIRS.labels(each.kind)

    async def fill(self) -> None:
        """Read our own kinds once, before the first pass, oldest first, as they line up.

        Raises if the API server does not answer.
        """
        for each in self._kinds:
            if each.kind not in self._rooms:
                continue
            found: list[Raw] = []
            path = paths.collection(each.plural)
            async for page in self._world.client.pages(path, selector=each.selector):
                found.extend(slim.of(each.kind, raw) for raw in page["items"])
            for raw in sorted(found, key=lambda raw: str(raw["metadata"]["creationTimestamp"])):
                self._intake.hear(each.kind, None, raw)

    async def run(self, refresh: Callable[[], Any]) -> None:
        """Look and sweep until cancelled; ``refresh`` is awaited before each sweep."""
        loop = asyncio.get_running_loop()
        pause, sweep_at = 0.0, loop.time() + self._varied(self._period_seconds)
        while True:
            pause = max(self._look_seconds, LOOK_SHARE * self._took_seconds, pause)
            is_due = await self._until(sweep_at, loop.time() + self._varied(pause))
            pause = 0.0
            try:
                if is_due:
                    await refresh()
                    await self.sweep()
                else:
                    await self.look()
            except FencedError:
                raise
            except CoxswainError as error:
                log.warning("sweep not finished", error=error.message, code=error.code)
                # Nothing is repaired before it answers: the next sweep is soon enough.
                pause = self._period_seconds
            if is_due:
                sweep_at = loop.time() + self._varied(self._period_seconds)

    def _varied(self, seconds: float) -> float:
        return seconds * self._random.uniform(0.8, 1.2)

    async def _until(self, sweep_at: float, look_at: float) -> bool:
        """Wait for the next look or sweep; tell whether it is a sweep, as when an event could not be taken in."""
        missed = self._intake.missed
        try:
            async with asyncio.timeout_at(min(sweep_at, look_at)):
                await missed.wait()
        except TimeoutError:
            return sweep_at <= look_at
        missed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(sweep_at):
                await asyncio.sleep(MISSED_SECONDS)
        return True

    async def look(self) -> None:
        """Compare what lives with what is known."""
        self._took_seconds = 0.0
        for each in self._kinds:
            for place in self._world.reach.places:
                await self._sweep_place(each, place)

    async def sweep(self) -> None:
        """One look at everything."""
        await self.look()
        await mirrors.compare(self._world, self._intake, self._rooms)
        self._intake.ask_again()
        self._intake.wake_most()
        self._intake.wake_schedules(SCHEDULE_SHARES, self._sweeps)
        self._sweeps += 1
        metrics.SWEPT_AT.set_to_current_time()

    async def _sweep_place(self, each: Swept, place: str | None) -> None:
        """All of a kind, or what there is in one workspace: that it is refused stops no other."""
        if place is None:
            await self._sweep_kind(each, None)
        elif self._world.reach.sees(place):
            try:
                await self._sweep_kind(each, place)
            except (ForbiddenError, NotFoundError):
                self._world.reach.doubt(place)

    async def _sweep_kind(self, each: Swept, place: str | None) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        live = await _versions(self._world.client, each, place)
        self._took_seconds += loop.time() - began
        known = {
            raw["metadata"]["uid"]: raw
            for raw in self._world.cache.all(each.kind)
            if place in (None, raw["metadata"]["namespace"])
        }
        suspects = [
            uid
            for uid, (version, _, _) in live.items()
            if uid not in known or cache.version(known[uid]) < version
        ]
        missing = [raw for uid, raw in known.items() if uid not in live]
        if not suspects and not missing:
            return
        await asyncio.sleep(self._settle_seconds)
        for uid in suspects:
            version, namespace, name = live[uid]
            held = self._world.cache.get(each.kind, uid)
            if held is None or cache.version(held) < version:
                await self._repair(each, namespace, name)
        for raw in missing:
            if self._world.cache.get(each.kind, raw["metadata"]["uid"]) is not None:
                await self._check_gone(each, raw)

    async def _find(self, each: Swept, namespace: str, name: str) -> Raw | None:
        """Read one object by a list: the right to list is all that a sweep needs anywhere."""
        path = paths.collection(each.plural, namespace)
        found = await self._world.client.get(path, {"fieldSelector": f"metadata.name={name}"})
        return next(iter(found["items"]), None)

    async def _repair(self, each: Swept, namespace: str, name: str) -> None:
        raw = await self._find(each, namespace, name)
        if raw is None:
            return
        held = self._world.cache.get(each.kind, raw["metadata"]["uid"])
        if held is None or cache.version(held) < cache.version(raw):
            self._count(each.kind, namespace, name)
            self._intake.hear(each.kind, None, raw)

    async def _check_gone(self, each: Swept, raw: Raw) -> None:
        """It was not in the list: gone, or made after the list was read."""
        metadata = raw["metadata"]
        found = await self._find(each, metadata["namespace"], metadata["name"])
        if found is not None and found["metadata"]["uid"] == metadata["uid"]:
            return
        self._count(each.kind, metadata["namespace"], metadata["name"])
        self._intake.gone(each.kind, raw)

    @staticmethod
    def _count(kind: str, namespace: str, name: str) -> None:
        metrics.SWEEP_REPAIRS.labels(kind).inc()
        log.warning("repaired what no event told", kind=kind, workspace=namespace, name=name)


async def _versions(
    client: Client, each: Swept, place: str | None
) -> dict[str, tuple[int, str, str]]:
    """resourceVersion, namespace and name of everything live, by uid."""
    found: dict[str, tuple[int, str, str]] = {}
    path = paths.collection(each.plural, place)
    async for page in client.pages(path, selector=each.selector, metadata_only=True):
        for raw in page["items"]:
            metadata = raw["metadata"]
            at = cache.version(raw)
            found[metadata["uid"]] = (at, metadata["namespace"], metadata["name"])
    return found
