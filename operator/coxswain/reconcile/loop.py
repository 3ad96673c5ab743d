"""One pass over one key: observe, decide, act, report. The one place that writes status."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from coxswain.api import tracing
from coxswain.errors import (
    ConflictError,
    CoxswainError,
    FencedError,
    ForbiddenError,
    NotFoundError,
    TransientError,
)
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.kube.events import EventPoster, Subject
from coxswain.reconcile import actions
from coxswain.reconcile.act import Actor, StaleError
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.children import FOREIGN_OBJECT
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.journal import Journal
from coxswain.reconcile.key import Key
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.room import Room
from coxswain.reconcile.tick_act import JobRefusedError
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.telemetry import metrics, traces

log = structlog.get_logger()

FAILURES_BEFORE_CONDITION = 2


@dataclass(frozen=True, slots=True)
class Hands:
    """What a pass works with."""

    client: Client
    cache: Cache
    journal: Journal
    actor: Actor
    events: EventPoster


class Loop:
    """Workers that take keys from the queue and make passes."""

    def __init__(
        self,
        rooms: Mapping[str, Room[Any]],
        queue: WorkQueue,
        hands: Hands,
        clock: Callable[[], datetime],
        on_gone: Callable[[str, Raw], None],
        *,
        reach: Reach,
        on_unseen: Callable[[Key], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``on_unseen`` hears of a key over which no pass is made, for its workspace is lost.

        ``monotonic`` is the clock of the queue, in seconds.
        """
        self._monotonic = monotonic
        self._on_unseen = on_unseen
        self._reach = reach
        self._on_gone = on_gone
        self._rooms = rooms
        self._queue = queue
        self._hands = hands
        self._clock = clock

    async def work(self, workers: int) -> None:
        """Run workers until cancelled; one that dies takes all with it."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._worker())

    async def _worker(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                if self._reach.sees(key.namespace):
                    await self.make_pass(key)
                else:
                    self._queue.settle(key, None)
                    self._on_unseen(key)
            finally:
                self._queue.done(key)

    async def make_pass(self, key: Key) -> None:
        """One pass; whatever goes wrong is counted, shown and tried again."""
        began, exemplar = time.perf_counter(), None
        structlog.contextvars.bind_contextvars(
            kind=key.kind, workspace=key.namespace, name=key.name
        )
        try:
            about = {"coxswain.workspace": key.namespace, "coxswain.name": key.name}
            with traces.work(f"reconcile {key.kind}", about, self._place(key)) as span:
                exemplar = traces.exemplar(span)
                next_at = await self._pass(key)
            self._queue.settle(key, next_at)
        except FencedError:
            raise
        except StaleError:
            self._queue.retry(key)
        except CoxswainError as error:
            await self._has_failed(key, error)
        except Exception as error:
            # The edge: a bug in one pass must not stop the others.
            log.exception("pass failed", uid=key.uid)
            await self._has_failed(key, CoxswainError(f"{type(error).__name__}: {error}"))
        finally:
            seconds = time.perf_counter() - began
            metrics.RECONCILE_SECONDS.labels(key.kind).observe(seconds, exemplar)
            structlog.contextvars.unbind_contextvars("kind", "workspace", "name")

    def _place(self, key: Key) -> tracing.Place | None:
        """The span of the Job that a pass is about; passes over other objects are traces of their own."""
        if key.kind != "Job" or not traces.is_on():
            return None
        raw = self._hands.cache.get(key.kind, key.uid)
        if raw is None:
            return None
        return tracing.of_job(key.uid, raw["metadata"].get("annotations") or {})

    async def _pass(self, key: Key) -> float | None:
        """Tell when to look again (monotonic seconds), if nothing happens before."""
        room = self._rooms[key.kind]
        snapshot = await room.observe(key)
        if snapshot is None:
            await self._clean_up(key)
            return None
        decision: Decision = room.decide(snapshot, self._clock())
        refused = await self._act(decision)
        await self._report(room, key, snapshot.metadata.resource_version, decision)
        next_at = None if decision.wake_at is None else self._in_time(decision.wake_at)
        if refused is None:
            return next_at
        if refused.is_settled:
            return self._monotonic()
        if next_at is not None:
            self._queue.add_at(key, next_at)
        raise refused

    def _in_time(self, at: datetime) -> float:
        """An instant by the queue's clock, from now on: what was done meanwhile took its time."""
        return self._monotonic() + max(0.0, (at - self._clock()).total_seconds())

    async def _act(self, decision: Decision) -> JobRefusedError | None:
        """Carry out all of it; a Job that is refused stops nothing that comes after it."""
        refused: JobRefusedError | None = None
        for action in decision.actions:
            try:
                await self._hands.actor.carry_out(action)
            except JobRefusedError as error:
                refused = refused if refused is not None and refused.is_settled else error
        return refused

    async def _clean_up(self, key: Key) -> None:
        """The object is gone: end what it controlled, also where no garbage collector runs."""
        if self._hands.cache.get(key.kind, key.uid) is not None:
            self._queue.add(key)
            return
        children = self._hands.cache.children(key.uid)
        left = [each["metadata"] for each in children if _is_pod(each) and not _is_deleting(each)]
        if left and await self._lives(key):
            return
        for each in left:
            pod = actions.DeletePod(each["namespace"], each["name"], each["uid"])
            await self._hands.actor.carry_out(pod)

    async def _lives(self, key: Key) -> bool:
        """Look live before something is destroyed: memory may be behind."""
        room = self._rooms[key.kind]
        try:
            live = await self._hands.client.get(paths.of(room.plural, key.namespace, key.name))
        except NotFoundError:
            return False
        if live["metadata"]["uid"] != key.uid:
            return False
        self._hands.cache.put(key.kind, live)
        self._queue.add(key)
        return True

    async def _report(self, room: Room[Any], key: Key, seen: str, decision: Decision) -> None:
        """Write the status if it changed; records and events only after that has succeeded.

        ``seen`` is the version that was decided on: where a newer one came meanwhile, nothing is
        written and the key comes again.
        """
        raw = self._hands.cache.get(key.kind, key.uid)
        if raw is None:
            return
        if decision.status is not None:
            if raw["metadata"]["resourceVersion"] != seen:
                self._queue.add(key)
                return
            raw = await self.write_status(room, raw, decision.status)
            for note in decision.notes:
                self._hands.events.post(Subject(*key), note.type, note.reason, note.message)
        made: Raw = raw
        self._hands.journal.publish(key.kind, raw, lambda: room.events(made))

    async def write_status(self, room: Room[Any], raw: Raw, status: dict[str, Any]) -> Raw:
        """Patch the status if it differs, with the resourceVersion that was seen."""
        change = difference(raw.get("status") or {}, status)
        if not change:
            return raw
        metadata = raw["metadata"]
        body = {
            "metadata": {"resourceVersion": metadata["resourceVersion"], "uid": metadata["uid"]},
            "status": change,
        }
        path = paths.of(room.plural, metadata["namespace"], metadata["name"], "status")
        written = await self._hands.client.patch(path, body)
        metrics.STATUS_WRITES.labels(room.kind).inc()
        self._hands.cache.put(room.kind, written)
        room.written(raw, written)
        return written

    async def _has_failed(self, key: Key, error: CoxswainError) -> None:
        metrics.RECONCILE_ERRORS.labels(key.kind, error.code).inc()
        if isinstance(error, ForbiddenError):
            self._reach.doubt(key.namespace)
        after = error.retry_after_seconds if isinstance(error, TransientError) else None
        delay = self._queue.retry(key, after)
        log.warning("pass will be repeated", error=error.message, code=error.code, seconds=delay)
        try:
            if isinstance(error, ConflictError | NotFoundError) and error.code != FOREIGN_OBJECT:
                await self._look_live(key)
            elif self._queue.failures(key) >= FAILURES_BEFORE_CONDITION:
                await self._show(key, error)
        except CoxswainError as second:
            log.warning("the failure could not be shown", error=second.message, code=second.code)

    async def _look_live(self, key: Key) -> None:
        """A stale write was refused: take the live form before the next pass."""
        room = self._rooms[key.kind]
        try:
            live = await self._hands.client.get(paths.of(room.plural, key.namespace, key.name))
        except NotFoundError:
            known = self._hands.cache.get(key.kind, key.uid)
            if known is not None:
                self._on_gone(key.kind, known)
            return
        self._hands.cache.put(key.kind, live)

    async def _show(self, key: Key, error: CoxswainError) -> None:
        room = self._rooms[key.kind]
        raw = self._hands.cache.get(key.kind, key.uid)
        if raw is None:
            return
        status = room.failed(raw, error, self._clock())
        if status is not None:
            await self.write_status(room, raw, status)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A merge patch that turns ``old`` into ``new``: changed keys, and null for those that went."""
    change: dict[str, Any] = {k: v for k, v in new.items() if old.get(k) != v}
    change.update({k: None for k in old if k not in new})
    return {k: _whole(old.get(k), v) for k, v in change.items()}


def _is_pod(raw: Raw) -> bool:
    """Not a Job of a Schedule: the garbage collector takes those, unless people orphan them."""
    return raw.get("kind") != "Job"


def _is_deleting(raw: Raw) -> bool:
    return raw["metadata"].get("deletionTimestamp") is not None


def _whole(old: Any, new: Any) -> Any:
    """A nested object is replaced whole: keys that it no longer has are set to null."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**{k: None for k in old if k not in new}, **new}
    return new
