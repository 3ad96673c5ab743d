"""What a leader runs: one world, its tasks, and their end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlsplit

import structlog

from coxswain import __version__, names
from coxswain.errors import CoxswainError, FencedError, ForbiddenError, UnavailableError
from coxswain.kube.client import Client
from coxswain.kube.events import EventPoster
from coxswain.process import (
    clock_steps,
    counts,
    event_wakes,
    first_look,
    following,
    gauges,
    host,
    services,
    switches,
)
from coxswain.reconcile import actions, intake, lapses, mirrors, phases
from coxswain.reconcile import key as keys
from coxswain.reconcile.act import Actor, StaleError
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.displaced import Displaced
from coxswain.reconcile.enforcement import Enforcement
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.intake import Intake
from coxswain.reconcile.job_types import JobTypes
from coxswain.reconcile.journal import Journal
from coxswain.reconcile.key import Key
from coxswain.reconcile.loop import Hands, Loop
from coxswain.reconcile.pace import Pace
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.records import Records
from coxswain.reconcile.retention import Retention
from coxswain.reconcile.runtimes import RuntimeClasses
from coxswain.reconcile.sealing import Sealing
from coxswain.reconcile.sweeper import Sweeper, Swept
from coxswain.reconcile.tick_act import TickActor
from coxswain.reconcile.tick_records import TickRecords
from coxswain.reconcile.turns import Turns
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.reconcile.workspaces import Workspaces
from coxswain.reconcile.world import World
from coxswain.rules import flags
from coxswain.rules.caps import Caps
from coxswain.sandbox import doors
from coxswain.sandbox.doors import Doors
from coxswain.sandbox.pod import Platform
from coxswain.sandbox.probe import Wall
from coxswain.settings import OperatorSettings, QueueSettings
from coxswain.store.flags import Switch
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.store.wakes import CHANNEL, PAGE

log = structlog.get_logger()

RECORDS_CHECK_SECONDS = 2.0
STOP_SECONDS = 3.0
STUCK_SECONDS = 60.0
CHANNELS = (CHANNEL, event_wakes.CHANNEL)
"""What a leader listens to."""


class Leading:
    """The work of one time of leading. Make it anew for each."""

    def __init__(
        self,
        settings: OperatorSettings,
        client: Client,
        store: Store,
        raise_epoch: Callable[[int], Awaitable[int]],
        *,
        listener: Listener,
        tell: Callable[[Sequence[str]], Awaitable[None]],
        parts: Callable[[], asyncio.TaskGroup],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``tell`` says that it leads, and in which workspaces; ``parts`` makes the group of its tasks."""
        self._clock = clock
        self._listener = listener
        self._tell = tell
        self._parts = parts
        self._settings = settings
        self._client = client
        self._store = store
        self._raise_epoch = raise_epoch
        self._fence = Fence(store, settings.identity)
        self._modules = host.room_modules()
        self.world: World | None = None
        self._since = clock()

    async def run(self, epoch: int, on_started: Callable[[], None]) -> None:
        """Lead until something ends; whatever ends it ends the process' leading."""
        found = await self._first_doors()
        world = self._world(self._platform(found))
        rooms = {room.kind: room for room in (each.make_room(world) for each in self._modules)}
        taken_in = Intake(world, rooms)
        self._fence.begin(epoch)
        events = EventPoster(self._client, self._settings.identity)
        actor = self._actor(world, taken_in)
        hands = Hands(self._client, world.cache, world.journal, actor, events)
        loop = _loop(world, rooms, hands, taken_in)
        kinds = _kinds(self._settings.installation)
        every = self._settings.sweep_seconds
        sweeper = Sweeper(world, taken_in, rooms, kinds, Random(), period_seconds=every)  # noqa: S311 - jitter
        streams = following.streams(self._client, taken_in, world.reach, kinds, rooms)
        world.reach.tell(taken_in)

        async def refresh() -> None:
            await self._refresh(world, actor)

        self.world = world
        listener = self._listener
        steps = clock_steps.ClockSteps(time.time, time.monotonic)
        await first_look.at_everything(world, rooms, streams, sweeper)
        async with self._parts() as group:
            group.create_task(self._keep_records(world, taken_in, rooms))
            group.create_task(world.journal.run())
            group.create_task(lapses.run(world.records))
            group.create_task(_hear_wakes(world, taken_in, listener))
            group.create_task(event_wakes.run(world, listener))
            group.create_task(clock_steps.run(steps, taken_in.wake_schedules))
            group.create_task(events.run())
            if world.enforcement is not None:
                group.create_task(
                    world.enforcement.run(lambda: world.platform, taken_in.wake_workspace)
                )
            for gauge in self._gauges(world):
                group.create_task(gauge)
            self._keep_house(group, world, taken_in)
            group.create_task(sweeper.run(refresh))
            group.create_task(loop.work(self._settings.workers))
            for stream in streams:
                group.create_task(stream.run())
            if world.reach.is_whole:
                registry = host.registry(self._client.credentials, self._modules)
                group.create_task(_watch(registry, self._settings, taken_in, on_started))
            await self._tell(onboarded(world.cache))

    async def check(self) -> None:
        """Raise UnavailableError while an object has waited for its pass for longer than a minute.

        Or while it leads for so long and has not begun to work.
        """
        if self.world is not None:
            require_moving(self.world.queue)
        elif self._clock() - self._since > STUCK_SECONDS:
            raise UnavailableError("it leads, and has not begun to work")

    async def stop(self) -> None:
        """Start no further pass, and write what is lined up, as far as a short time allows."""
        if self.world is None:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.world.queue.close()
                await self.world.journal.drain(STOP_SECONDS)
        except TimeoutError:
            log.warning("stopping although not everything is done")

    def _keep_house(self, group: asyncio.TaskGroup, world: World, taken_in: Intake) -> None:
        """Drop records that are due, seal the audit log, and go by a flag that has changed."""
        given = self._settings
        group.create_task(switches.follow(world.schedules, taken_in.wake_schedules))
        group.create_task(Retention(self._fence, given).run())
        group.create_task(Sealing(self._fence, given.installation, given.audit_key_file).run())

    def _actor(self, world: World, taken_in: Intake) -> Actor:
        made = partial(taken_in.hear, "Job", None)
        ticks = TickActor(self._client, made, world.ticks, world.displaced, _now)
        return Actor(self._client, world.cache, world.records, world.refusals, ticks)

    def _world(self, platform: Platform) -> World:
        queue = WorkQueue(time.monotonic, Random())  # noqa: S311 - jitter
        turns = Turns(_caps(self._settings), queue.add)
        cache = Cache(intake.group_of, turns.pod_changed)
        records = Records(self._fence, self._settings.idempotency_seconds)
        return World(
            client=self._client,
            cache=cache,
            records=records,
            journal=Journal(self._fence),
            enforcement=self._enforcement(records),
            queue=queue,
            turns=turns,
            workspaces=Workspaces(self._client, cache, self._settings.installation),
            runtimes=RuntimeClasses(self._client),
            job_types=JobTypes(self._client),
            platform=platform,
            reach=self._reach(),
            ticks=TickRecords(self._fence),
            displaced=Displaced(queue.add),
            pace=Pace(self._settings.schedules_per_second, time.monotonic),
            schedules=Switch(self._store, flags.SCHEDULES, self._settings),
            limits=self._settings,
            is_compared=False,
        )

    def _gauges(self, world: World) -> tuple[Coroutine[Any, Any, None], ...]:
        """What is measured again and again, where anybody reads it."""
        if not self._settings.metrics:
            return ()
        counted = gauges.run(
            world.cache, world.reach, world.queue, world.turns, self._settings.workers
        )
        outbox = gauges.follow_outbox(self._store)
        return counted, outbox, counts.run(self._store, world.cache, world.reach)

    def _reach(self) -> Reach:
        kinds = [each.kind for each in _kinds(self._settings.installation)]
        return Reach(self._settings.read_workspaces, kinds)

    def _platform(self, found: Doors) -> Platform:
        given = self._settings
        return Platform(
            given.installation,
            found,
            given,
            default_queues=tuple(given.default_queues),
            is_traced=bool(given.traces_endpoint),
        )

    def _enforcement(self, records: Records) -> Enforcement | None:
        if not self._settings.network_probe:
            return None
        api_server = urlsplit(self._client.credentials.url)
        wall = Wall(api_server.hostname or "", api_server.port or 443)
        version = f"{__version__} {self._settings.agent_image}"
        return Enforcement(self._client, records, version, (wall,))

    async def _first_doors(self) -> Any:
        while True:
            try:
                return await services.doors(self._client, self._settings)
            except CoxswainError as error:
                log.warning("the doors are not known yet", error=error.message)
                await asyncio.sleep(RECORDS_CHECK_SECONDS)

    async def _refresh(self, world: World, actor: Actor) -> None:
        """Look again at what is not watched: the doors. A pod knows them by address only."""
        found = await services.doors(self._client, self._settings)
        if found != world.platform.doors:
            log.warning("a door has moved; running attempts end as lost")
            world.platform = self._platform(found)
        for raw in world.reach.only_seen(world.cache.all("Pod")):
            owner = keys.owner(raw)
            if owner is None or phases.has_ended(raw):
                continue
            if not doors.are_known(found, raw):
                await _end_as_lost(actor, owner, raw)

    async def _keep_records(self, world: World, taken_in: Intake, rooms: Any) -> None:
        """Claim the epoch in the database as soon as it answers; watch whether it still does."""
        while True:
            try:
                if not self._fence.is_taken:
                    standing = await self._fence.take()
                    if standing:
                        self._fence.begin(await self._raise_epoch(standing))
                        continue
                    world.agents_deleted.update(await world.records.deleted("Agent"))
                was = self._fence.condition().status
                await self._fence.check()
                if not world.is_compared:
                    world.is_compared = await mirrors.compare(world, taken_in, rooms)
                if was != self._fence.condition().status:
                    taken_in.wake_everything()
            except CoxswainError as error:
                if error.code in ("fenced", "leadership_lost", "conflict"):
                    raise
                log.warning("records unavailable", error=error.message)
            await asyncio.sleep(RECORDS_CHECK_SECONDS)


def _loop(world: World, rooms: Any, hands: Hands, taken_in: Intake) -> Loop:
    """Who is in a lost workspace gets no pass, and leaves its turn to others."""
    return Loop(
        rooms,
        world.queue,
        hands,
        _now,
        taken_in.gone,
        reach=world.reach,
        on_unseen=lambda key: world.turns.give_up(key.uid),
    )


async def _watch(
    registry: Any, settings: OperatorSettings, taken_in: Intake, on_started: Callable[[], None]
) -> None:
    await host.run(registry, settings, taken_in, on_started)
    raise CoxswainError("the watch streams have ended")


async def _hear_wakes(world: World, taken_in: Intake, listener: Listener) -> None:
    """Put what other processes ask for into the queue: when told, and again after a failure."""
    with listener.subscribe(CHANNEL) as spoken:
        # Whoever led before may have left some.
        spoken.set()
        while True:
            await spoken.wait()
            spoken.clear()
            try:
                while await _take_wakes(world, taken_in):
                    pass
            except FencedError:
                raise
            except CoxswainError as error:
                log.warning("wakes not read", error=error.message)
                await asyncio.sleep(RECORDS_CHECK_SECONDS)
                spoken.set()


async def _take_wakes(world: World, taken_in: Intake) -> bool:
    """Handle a page of them; tell whether it was full. What comes meanwhile is told anew."""
    seen = await world.records.wakes()
    for each in seen:
        taken_in.wake(each.kind, each.workspace, each.name)
    if seen:
        await world.records.woken(seen)
    return len(seen) == PAGE


async def _end_as_lost(actor: Actor, owner: Key, raw: Raw) -> None:
    metadata = raw["metadata"]
    attempt = int(metadata["labels"][names.LABEL_ATTEMPT])
    closing = actions.CloseRun(owner.uid, attempt, "Lost/DoorMoved", is_gone=False)
    try:
        await actor.carry_out(closing)
    except StaleError:
        log.info("the run has its result already", pod=metadata["name"])
    pod = actions.DeletePod(metadata["namespace"], metadata["name"], metadata["uid"])
    try:
        await actor.carry_out(pod)
    except ForbiddenError as error:
        log.warning("a pod whose door has moved is left", pod=pod.name, error=error.message)


def streams(given: OperatorSettings) -> int:
    """How many calls to the API server never end."""
    return len(_kinds(given.installation)) * max(1, len(given.read_workspaces or ()))


def onboarded(cache: Cache) -> list[str]:
    """The workspaces that there are: namespaces with the quota that the chart gives one."""
    quotas = (each["metadata"] for each in cache.all("ResourceQuota"))
    return sorted({each["namespace"] for each in quotas if each["name"] == names.POD_QUOTA})


def require_moving(queue: WorkQueue) -> None:
    """Raise UnavailableError while a key has waited for its pass for too long."""
    age = queue.age_seconds()
    if age > STUCK_SECONDS:
        raise UnavailableError(f"an object has waited {age:.0f} s for its pass")


def _caps(given: QueueSettings) -> Caps:
    return Caps(
        installation=given.concurrent_jobs,
        per_workspace=given.concurrent_jobs_per_workspace,
        by_workspace=given.concurrent_jobs_by_workspace,
        by_queue=given.concurrent_jobs_by_queue,
        weights=given.workspace_weights,
    )


def _kinds(installation: str) -> tuple[Swept, ...]:
    selector = f"{names.LABEL_INSTALLATION}={installation}"
    return (
        Swept("ResourceQuota", "resourcequotas"),
        Swept("Agent", "agents"),
        Swept("Pod", "pods", selector),
        Swept("Lease", "leases"),
        Swept("Job", "jobs"),
        Swept("Schedule", "schedules"),
    )


def _now() -> datetime:
    return datetime.now(UTC)
