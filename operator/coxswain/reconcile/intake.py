"""Where events come in: each updates memory and names the keys that want a pass. Nothing else.

The event itself is never trusted for more than that; a pass looks at the state.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from coxswain.reconcile import cache, phases, turns
from coxswain.reconcile import key as keys
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.room import Room
from coxswain.reconcile.world import World
from coxswain.rules import caps, quota
from coxswain.telemetry import metrics

log = structlog.get_logger()

"""Phases of pods and of Jobs that nothing leaves."""
QUOTA_WAKES = 100
ASK_AGAIN = 10
"""In a workspace at each sweep."""
NOW = partial(datetime.now, UTC)


class Intake:
    """Takes objects as watches, lists and the records bring them."""

    def __init__(
        self,
        world: World,
        rooms: Mapping[str, Room[Any]],
        clock: Callable[[], datetime] = NOW,
    ) -> None:
        self._clock = clock
        self._world = world
        self._rooms = rooms
        self.missed = asyncio.Event()
        """Set when something could not be taken in: a sweep is due."""
        self._routes: dict[str, Callable[[Raw], None]] = {
            "Agent": self._agent,
            "Job": self._job,
            "Schedule": self._schedule,
            "Lease": self._lease,
            "Pod": self._pod,
            "ResourceQuota": self._quota,
        }
        for kind in self._routes:
            metrics.EVENTS_NOT_TAKEN.labels(kind)

    def hear(self, kind: str, change: str | None, raw: Raw) -> None:
        """Take an event of a watch or an object of a list, for which ``change`` is None.

        One that cannot be taken in stops no other: it is counted, its object gets a pass, which
        shows what is wrong with it, and a sweep looks at everything soon.
        """
        try:
            self.notice(kind, change, raw)
        except Exception:
            # The edge: a bug here must neither end the stream nor be forgotten.
            metadata = raw["metadata"]
            log.exception("event not taken in", kind=kind, uid=metadata["uid"], change=change)
            metrics.EVENTS_NOT_TAKEN.labels(kind).inc()
            if kind in self._rooms and self._world.cache.get(kind, metadata["uid"]) is not None:
                self._world.queue.retry(keys.of(kind, raw))
            self.missed.set()

    def notice(self, kind: str, change: str | None, raw: Raw) -> None:
        """Take in an object as it is now, or its end, of which the first that is heard counts."""
        if change == "DELETED":
            if not self._world.cache.has_buried(raw["metadata"]["uid"]):
                self.gone(kind, raw)
            return
        if not self._takes_its_name(kind, raw):
            return
        before = self._world.cache.get(kind, raw["metadata"]["uid"])
        if not self._world.cache.put(kind, raw):
            return
        if kind == "ResourceQuota" and before is not None and not _has_grown(before, raw):
            return
        if kind == "ResourceQuota" and before is None:
            self._part_has_come(raw)
        self._routes[kind](raw)

    def _takes_its_name(self, kind: str, raw: Raw) -> bool:
        """Whether its name is its own: whoever had it before is gone, though no event may ever tell.

        A stream that begins anew from a list tells of nobody who went meanwhile.
        """
        metadata = raw["metadata"]
        known = self._world.cache.named(kind, metadata["namespace"], metadata["name"])
        if known is None or known["metadata"]["uid"] == metadata["uid"]:
            return True
        if cache.version(known) > cache.version(raw):
            return False
        self.gone(kind, known)
        return True

    def notice_all(
        self, kind: str, items: Sequence[Raw], version: int, workspace: str | None = None
    ) -> None:
        """Take a whole list, as of a version: what is not in it and not younger is gone.

        A list of one workspace says nothing of the others. Who came first lines up first.
        """
        for raw in sorted(items, key=_created_at):
            self.hear(kind, None, raw)
        living = {raw["metadata"]["uid"] for raw in items}
        for raw in self._world.cache.all(kind):
            if workspace is not None and raw["metadata"]["namespace"] != workspace:
                continue
            if raw["metadata"]["uid"] not in living and cache.version(raw) <= version:
                self.gone(kind, raw)

    def lost(self, workspace: str) -> None:
        """Nobody of a workspace starts while it is lost: its Jobs leave the line, and others go on."""
        for raw in self._world.cache.all("Job"):
            if raw["metadata"]["namespace"] == workspace:
                self._world.turns.give_up(raw["metadata"]["uid"])

    def found(self, workspace: str) -> None:
        """Look at all of a workspace that is back, the oldest first."""
        self._world.workspaces.forget(workspace)
        for kind in self._rooms:
            for raw in sorted(self._world.cache.all(kind), key=_created_at):
                if raw["metadata"]["namespace"] == workspace:
                    self._world.queue.add(keys.of(kind, raw))

    def gone(self, kind: str, raw: Raw) -> None:
        """An object is no more: forget it, record it, and wake whom it concerns."""
        self._world.cache.remove(kind, raw)
        if kind in self._rooms:
            room = self._rooms[kind]
            self._world.journal.vanished(kind, raw, lambda: room.events(raw, is_gone=True))
        if kind == "Agent":
            self._agent_has_gone(raw)
        if kind == "Job":
            self._leave(raw)
        self._routes[kind](raw)

    def wake(self, kind: str, namespace: str, name: str) -> None:
        """Another process asks for a pass over an object, by name."""
        raw = self._world.cache.named(kind, namespace, name)
        if raw is not None:
            self._world.queue.add(keys.of(kind, raw))

    def wake_workspace(self, namespace: str) -> None:
        """Look at the Agents of a workspace again."""
        for raw in self._world.cache.all("Agent"):
            if raw["metadata"]["namespace"] == namespace:
                self._world.queue.add(keys.of("Agent", raw))

    def _part_has_come(self, raw: Raw) -> None:
        """What was missing of a workspace may be there now."""
        namespace = raw["metadata"]["namespace"]
        self._world.workspaces.forget(namespace)
        self.wake_workspace(namespace)

    def ask_again(self) -> None:
        """The first who were refused in each workspace ask once more, whatever was said to them.

        An API server may refuse by numbers that are older than those which it has told of, and then
        no news of room ever comes.
        """
        for workspace in self._world.refusals.workspaces():
            for uid in self._world.turns.call(caps.of_workspace(workspace), ASK_AGAIN):
                self._world.refusals.forget(workspace, uid)

    def wake_everything(self) -> None:
        """Look again at every object of ours that has not come to its end."""
        self.wake_most()
        self.wake_schedules()

    def wake_most(self) -> None:
        """The same but for Schedules, which wait for a time and are many."""
        for kind in self._rooms:
            for raw in self._world.cache.all(kind):
                if kind != "Schedule" and not (kind == "Job" and phases.has_ended(raw)):
                    self._world.queue.add(keys.of(kind, raw))

    def wake_schedules(self, share: int = 1, turn: int = 0) -> None:
        """Look again at the Schedules, or in turn at one of so many shares of them."""
        for raw in self._world.cache.all("Schedule"):
            key = keys.of("Schedule", raw)
            if zlib.crc32(key.uid.encode()) % share == turn % share:
                self._world.queue.add(key)

    def _agent_has_gone(self, agent: Raw) -> None:
        """Its Jobs that have ended are looked at once more: their pods hold its home."""
        namespace, name = agent["metadata"]["namespace"], agent["metadata"]["name"]
        self._world.agents_deleted[namespace, name] = self._clock()
        self._world.turns.forget_agent(namespace, name)
        for job in self._world.cache.all("Job"):
            if job["metadata"]["namespace"] == namespace and agent_of(job) == name:
                self._world.queue.add(keys.of("Job", job))

    def _leave(self, job: Raw) -> None:
        """A Job is gone, and with it its place or the slot that it had not used."""
        key = keys.of("Job", job)
        self._world.refusals.forget(key.namespace, key.uid)
        self._world.dependents.forget(job)
        self._world.descent.forget(job)
        self._world.turns.give_up(key.uid)
        self._world.displaced.forget(key.uid)

    def _agent(self, raw: Raw) -> None:
        key = keys.of("Agent", raw)
        self._world.queue.add(key)
        for job in self._world.cache.group(("jobs", key.namespace, key.name)):
            self._world.queue.add(keys.of("Job", job))
        for schedule in self._world.cache.group(("schedules", key.namespace, key.name)):
            self._world.queue.add(keys.of("Schedule", schedule))

    def _job(self, raw: Raw) -> None:
        """It wants a pass, and so do those who wait for it: it has come, ended or gone."""
        key = keys.of("Job", raw)
        self._world.queue.add(key)
        if self._world.cache.get("Job", key.uid) is not None:
            self._world.descent.keep(raw)
            waiting = self._world.dependents
            (waiting.forget if phases.has_ended(raw) else waiting.keep)(raw)
        for each in self._world.dependents.of(raw):
            self._world.queue.add(each)
        owner = keys.owner(raw)
        is_over = phases.has_ended(raw) or self._world.cache.get("Job", key.uid) is None
        if owner is not None and owner.kind == "Schedule" and is_over:
            self._world.queue.add(owner)

    def _schedule(self, raw: Raw) -> None:
        key = keys.of("Schedule", raw)
        if self._world.cache.get("Schedule", key.uid) is None:
            self._world.pace.forget(key.uid)
        self._world.queue.add(key)

    def _lease(self, raw: Raw) -> None:
        self._world.queue.add(keys.of("Lease", raw))

    def _pod(self, raw: Raw) -> None:
        owner = keys.owner(raw)
        if owner is not None and owner.kind == "Job":
            self._world.queue.add(owner)

    def _quota(self, raw: Raw) -> None:
        """A quota has room again: as many waiting Jobs as may fit look again, in their order."""
        namespace = raw["metadata"]["namespace"]
        self._world.refusals.has_room(namespace)
        self._world.turns.call(caps.of_workspace(namespace), _room_for(raw))


def group_of(kind: str, raw: Raw) -> tuple[str, ...] | None:
    """Pods and Jobs of an Agent, as long as they have not ended, and Schedules that make Jobs for it."""
    metadata = raw["metadata"]
    if kind == "Pod":
        agent = turns.slot_of_pod(raw).agent
        return ("pods", metadata["namespace"], agent) if turns.is_live(raw) and agent else None
    if kind == "Job" and not phases.has_ended(raw):
        return ("jobs", metadata["namespace"], agent_of(raw))
    if kind == "Schedule":
        template = (raw.get("spec") or {}).get("jobTemplate") or {}
        return ("schedules", metadata["namespace"], agent_of(template))
    return None


def agent_of(job: Raw) -> str:
    """The name of a Job's Agent; none where it cannot be read, as what is stored may be older than the schema."""
    found = (job.get("spec") or {}).get("agentRef")
    return str(found.get("name", "")) if isinstance(found, Mapping) else ""


def _created_at(raw: Raw) -> str:
    return str(raw["metadata"].get("creationTimestamp", ""))


def _has_grown(before: Raw, after: Raw) -> bool:
    old, new = before.get("status") or {}, after.get("status") or {}
    hard = quota.amounts(new.get("hard") or {})
    was = quota.amounts(old.get("hard") or {})
    used, before_used = quota.amounts(new.get("used") or {}), quota.amounts(old.get("used") or {})
    return any(
        hard[name] > was.get(name, hard[name]) or used.get(name, 0) < before_used.get(name, 0)
        for name in hard
    ) or bool(was.keys() - hard.keys())


def _room_for(raw: Raw) -> int:
    status = raw.get("status") or {}
    hard, used = quota.amounts(status.get("hard") or {}), quota.amounts(status.get("used") or {})
    pods = [int(hard[each] - used.get(each, 0)) for each in ("pods", "count/pods") if each in hard]
    return max(1, min([QUOTA_WAKES, *pods]))
