"""A leader's memory alone: no API server, no Postgres, time and chance under control."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from coxswain.reconcile import intake
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.displaced import Displaced
from coxswain.reconcile.intake import Intake
from coxswain.reconcile.key import Key
from coxswain.reconcile.pace import Pace
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.turns import Turns
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.reconcile.world import World
from coxswain.rules.caps import Caps
from coxswain.store.events import Event
from coxswain.store.runs import Unmirrored

Body = dict[str, Any]


@dataclass
class PaperJournal:
    """Notes what would be recorded."""

    gone: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)

    def vanished(self, kind: str, raw: Raw, _events: Callable[[], Sequence[Event]]) -> None:
        """An object is gone."""
        self.gone.append(f"{kind} {raw['metadata']['name']}")

    def publish(self, kind: str, raw: Raw, _events: Callable[[], Sequence[Event]]) -> None:
        """An object has a new form."""
        self.published.append(f"{kind} {raw['metadata']['name']}")

    def remember(self, _uid: str, _version: str) -> None:
        """The mirror holds it."""


@dataclass
class PaperWorkspaces:
    """Notes of which workspace the answer was forgotten."""

    forgotten: list[str] = field(default_factory=list)

    def forget(self, namespace: str) -> None:
        """Something of it has changed."""
        self.forgotten.append(namespace)


@dataclass
class PaperWorld:
    """A world, its intake, and what came of it."""

    client: Any = None
    mirrored: dict[str, str] = field(default_factory=dict)
    unmirrored: tuple[Unmirrored, ...] = ()
    """Jobs with an open run of which the mirror knows nothing."""
    caps: Caps = field(default_factory=Caps)
    reach: Reach = field(default_factory=Reach)

    def __post_init__(self) -> None:
        self.journal = PaperJournal()
        self.workspaces = PaperWorkspaces()
        self.asked_of: list[list[str] | None] = []
        self.closed: list[str] = []
        self.now = 0.0
        self.queue = WorkQueue(lambda: self.now, Random(1))  # noqa: S311 - jitter
        turns = Turns(self.caps, self.queue.add)
        self.world = World(
            client=self.client,
            cache=Cache(intake.group_of, turns.pod_changed),
            records=cast("Any", self._records()),
            journal=cast("Any", self.journal),
            queue=self.queue,
            turns=turns,
            workspaces=cast("Any", self.workspaces),
            runtimes=cast("Any", None),
            job_types=cast("Any", None),
            platform=cast("Any", None),
            ticks=cast("Any", None),
            displaced=Displaced(self.queue.add),
            pace=Pace(100, lambda: self.now),
            schedules=cast("Any", None),
            reach=self.reach,
        )
        self.rooms: dict[str, Any] = {
            kind: SimpleNamespace(kind=kind, events=lambda *_, **__: ())
            for kind in ("Agent", "Job", "Schedule")
        }
        self.intake = Intake(self.world, self.rooms)

    def _records(self) -> SimpleNamespace:
        return SimpleNamespace(
            mirrored=self._mirrored, unmirrored_jobs=self._unmirrored, close_gone=self._close
        )

    async def _unmirrored(self, _workspaces: list[str] | None) -> tuple[Unmirrored, ...]:
        return self.unmirrored

    async def _close(self, job_uids: list[str]) -> None:
        self.closed.extend(job_uids)

    async def _mirrored(self, _kind: str, workspaces: list[str] | None) -> dict[str, str]:
        self.asked_of.append(workspaces)
        return dict(self.mirrored)

    async def woken(self) -> list[Key]:
        """The keys that want a pass now."""
        found = []
        while len(self.queue):
            key = await self.queue.take()
            self.queue.done(key)
            found.append(key)
        return found


def raw(kind: str, name: str, version: int = 1, **more: Any) -> Body:
    """An object of the workspace "team"; its uid is made of kind and name."""
    metadata = {
        "namespace": "team",
        "name": name,
        "uid": f"{kind}-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": "2026-11-21T03:00:00Z",
        **more.pop("metadata", {}),
    }
    return {"metadata": metadata, "spec": {}, **more}


def job(name: str, version: int = 1, agent: str = "helm", **more: Any) -> Body:
    """A Job of an Agent."""
    return raw("Job", name, version, spec={"agentRef": {"name": agent}}, **more)


def pod(name: str, owner: str, version: int = 1, agent: str = "helm", phase: str = "") -> Body:
    """A pod of a Job."""
    reference = {
        "apiVersion": "coxswain.dev/v1alpha1",
        "kind": "Job",
        "name": owner,
        "uid": f"Job-{owner}",
        "controller": True,
    }
    metadata = {"ownerReferences": [reference], "labels": {"coxswain.dev/agent": agent}}
    return raw("Pod", name, version, metadata=metadata, status={"phase": phase or "Pending"})


def quota(version: int, hard: int, used: int) -> Body:
    """The quota for pods."""
    status = {"hard": {"pods": str(hard)}, "used": {"pods": str(used)}}
    return raw("ResourceQuota", "coxswain-agents", version, status=status)
