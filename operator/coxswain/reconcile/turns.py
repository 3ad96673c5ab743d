"""Who may start: Jobs stand in line, and each slot that is free is given to the one whose turn it is.

    ask -----> room under every cap? --yes--> granted -> the pod is made -> the slot is the pod's
      |no                                        ^
      v                                          | its turn, woken
    waiting ------- a slot comes free -----------+
    park  ---> the workspace's or Agent's quota has no room: called in order once it may have

A slot is given here and at once, so two passes never both take the last one. Nobody waits while
there is room under all its caps: so who asks is granted if there is room, and only a slot that
comes free needs a choice. It is memory only: after a restart the pods that are listed hold their
slots, and the Jobs that are listed line up again before any slot is given out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from coxswain import names
from coxswain.reconcile import key as keys
from coxswain.reconcile import phases
from coxswain.reconcile.backlog import Backlog
from coxswain.reconcile.key import Key
from coxswain.reconcile.shares import Shares
from coxswain.rules import caps, fairness
from coxswain.rules.caps import Bound, Caps, Full, Scope
from coxswain.rules.fairness import Slot, Waiting

Raw = Mapping[str, Any]
NEXT = 2
"""Parked Jobs of an Agent that look again when one of its pods has ended."""


class Holder(NamedTuple):
    """The pod that a slot is held for, made or not."""

    workspace: str
    pod_name: str


@dataclass(frozen=True, slots=True)
class Request:
    """A Job that would start now."""

    key: Key
    job: Waiting
    pod_name: str
    agent_jobs: int
    """The cap of its Agent."""


@dataclass(slots=True)
class _Stand:
    """Where a Job stands: granted, parked at a scope, or waiting."""

    request: Request
    is_granted: bool = False
    parked_at: Scope | None = None


class _Held(NamedTuple):
    """A slot that a pod holds; a later pod of that name is another one."""

    uid: str
    slot: Slot


class Turns:
    """The one line of an installation. A Job stands in it once."""

    def __init__(self, bounds: Caps, wake: Callable[[Key], None]) -> None:
        self._caps = bounds
        self._wake = wake
        self._shares = Shares(bounds)
        self._running: Counter[Scope] = Counter()
        self._agents: dict[Scope, int] = {}
        self._stands: dict[str, _Stand] = {}
        self._waiting: dict[str, Backlog] = {}
        self._firsts: dict[str, Waiting | None] = {}
        """Whose turn it would be in each workspace, until something there changes."""
        self._parked: dict[Scope, Backlog] = {}
        self._called: dict[str, Scope] = {}
        self._granted: dict[Holder, Slot] = {}
        self._pods: dict[Holder, _Held] = {}
        self._lined: Counter[tuple[str, str]] = Counter()

    def ask(self, request: Request) -> tuple[Full, ...]:
        """Hold a slot for the Job's pod, or line up: then the caps that are reached are told."""
        uid = request.key.uid
        self._bound(request)
        stand = self._stands.get(uid)
        if stand is not None and stand.is_granted and stand.request.pod_name == request.pod_name:
            return ()
        self._leave(uid)
        called = self._called.pop(uid, None)
        full = tuple(self.full(request.job.slot))
        self._stand(request, _Stand(request, is_granted=not full))
        if full and called is not None:
            self.call(called, 1)
        return full

    def resume(self, request: Request) -> None:
        """Line up as before a restart; slots are given out once all stand in line."""
        self._bound(request)
        self._leave(request.key.uid)
        self._stand(request, _Stand(request))

    def give_out(self) -> None:
        """Give slots to those whose turn it is, as long as anybody can have one."""
        while (job := self._next()) is not None:
            request = self._stands[job.place.uid].request
            self._leave(job.place.uid)
            self._stand(request, _Stand(request, is_granted=True))
            self._wake(request.key)

    def park(self, request: Request, at: Scope) -> None:
        """Stand aside until the quota that has no room may have some: somebody calls then."""
        self._bound(request)
        self._leave(request.key.uid)
        self._called.pop(request.key.uid, None)
        self._stand(request, _Stand(request, parked_at=at))

    def give_up(self, uid: str) -> None:
        """The Job does not want a slot beside that of its pod: started, ended, gone, not ready."""
        self._leave(uid)
        called = self._called.pop(uid, None)
        if called is not None:
            self.call(called, 1)

    def call(self, at: Scope, most: int) -> list[str]:
        """There may be room again: the first of those who stand aside look, in order. Their uids."""
        taken: list[Slot] = []
        called: list[str] = []
        while len(taken) < most and (backlog := self._parked.get(at)) is not None:
            job = self._shares.first_of(backlog, lambda *_: True, taken)
            if job is None:
                break
            taken.append(job.slot)
            called.append(job.place.uid)
            request = self._stands[job.place.uid].request
            self._leave(job.place.uid)
            self._called[job.place.uid] = at
            self._wake(request.key)
        return called

    def pod_changed(self, before: Raw | None, after: Raw | None) -> None:
        """A pod came, changed or went: while it runs it holds its slot."""
        if after is not None and is_live(after):
            self._pod_holds(_holder(after), _Held(after["metadata"]["uid"], slot_of_pod(after)))
        elif before is not None:
            self._pod_lets_go(_holder(before), before["metadata"]["uid"])

    def forget_agent(self, workspace: str, agent: str) -> None:
        """It is gone; one that comes says its own cap."""
        self._firsts.pop(workspace, None)
        self._agents.pop(caps.of_agent(workspace, agent), None)

    def full(self, slot: Slot) -> Iterable[Full]:
        """The caps that leave no room, the narrowest first."""
        for scope in caps.scopes(slot):
            most = self._most(scope)
            if most is not None and self._running[scope] >= most:
                yield Full(scope, most)

    def lined(self) -> Mapping[tuple[str, str], int]:
        """How many stand in line, waiting or aside, by workspace and queue."""
        return self._lined

    def running(self) -> Mapping[tuple[str, str], int]:
        """How many hold a slot, by workspace and queue."""
        held = {**self._granted, **{holder: each.slot for holder, each in self._pods.items()}}
        return Counter((slot.workspace, slot.queue) for slot in held.values())

    def _most(self, scope: Scope) -> int | None:
        return self._agents.get(scope) if scope.bound is Bound.AGENT else self._caps.most(scope)

    def _bound(self, request: Request) -> None:
        """An Agent's cap is what its newest form says; where it grew others may start too."""
        scope = caps.of_agent(request.job.slot.workspace, request.job.slot.agent)
        before = self._agents.get(scope)
        self._agents[scope] = request.agent_jobs
        if before != request.agent_jobs:
            self._firsts.pop(scope.workspace, None)
        if before is not None and before < request.agent_jobs:
            self.give_out()

    def _stand(self, request: Request, stand: _Stand) -> None:
        slot = request.job.slot
        self._stands[request.key.uid] = stand
        if stand.is_granted:
            self._grant(request)
            return
        self._lined[slot.workspace, slot.queue] += 1
        self._backlog(stand).add(request.job)

    def _backlog(self, stand: _Stand) -> Backlog:
        if stand.parked_at is not None:
            return self._parked.setdefault(stand.parked_at, Backlog())
        workspace = stand.request.job.slot.workspace
        self._firsts.pop(workspace, None)
        return self._waiting.setdefault(workspace, Backlog())

    def _grant(self, request: Request) -> None:
        slot, holder = request.job.slot, Holder(request.key.namespace, request.pod_name)
        self._shares.serve(slot)
        if holder not in self._pods:
            self._count(slot, 1)
        self._granted[holder] = slot

    def _leave(self, uid: str) -> None:
        """Out of the line, or give back a slot that no pod holds."""
        stand = self._stands.pop(uid, None)
        if stand is None:
            return
        slot = stand.request.job.slot
        if stand.is_granted:
            self._give_back(Holder(stand.request.key.namespace, stand.request.pod_name))
            return
        self._lined[slot.workspace, slot.queue] -= 1
        self._lined += Counter()
        backlog = self._backlog(stand)
        backlog.remove(stand.request.job)
        if not backlog and stand.parked_at is not None:
            del self._parked[stand.parked_at]
        elif not backlog:
            del self._waiting[slot.workspace]

    def _give_back(self, holder: Holder) -> None:
        slot = self._granted.pop(holder)
        if holder not in self._pods:
            self._has_come_free(slot)

    def _pod_holds(self, holder: Holder, pod: _Held) -> None:
        known = self._pods.get(holder)
        slot = known.slot if known is not None else self._granted.get(holder, pod.slot)
        self._pods[holder] = _Held(pod.uid, slot)
        if known is None and holder not in self._granted:
            self._count(slot, 1)

    def _pod_lets_go(self, holder: Holder, uid: str) -> None:
        known = self._pods.get(holder)
        if known is None or known.uid != uid:
            return
        del self._pods[holder]
        if holder not in self._granted:
            self._has_come_free(known.slot)

    def _has_come_free(self, slot: Slot) -> None:
        self._count(slot, -1)
        self.give_out()
        self.call(caps.of_agent(slot.workspace, slot.agent), NEXT)

    def _count(self, slot: Slot, change: int) -> None:
        if change > 0:
            self._shares.runs(slot)
        else:
            self._shares.ends(slot)
        self._firsts.pop(slot.workspace, None)
        if slot.queue in self._caps.by_queue:
            self._firsts.clear()
        for scope in caps.scopes(slot):
            self._running[scope] += change
            if not self._running[scope]:
                del self._running[scope]

    def _next(self) -> Waiting | None:
        if not self._has_room(caps.INSTALLATION):
            return None
        firsts = (self._first_in(workspace) for workspace in self._waiting)
        return self._shares.first([each for each in firsts if each is not None])

    def _first_in(self, workspace: str) -> Waiting | None:
        if workspace not in self._firsts:
            self._firsts[workspace] = self._find_first(workspace)
        return self._firsts[workspace]

    def _find_first(self, workspace: str) -> Waiting | None:
        def has_room(queue: str, agent: str) -> bool:
            is_free = self._has_room(caps.of_agent(workspace, agent))
            return is_free and self._has_room(caps.of_queue(queue))

        if not self._has_room(caps.of_workspace(workspace)):
            return None
        return self._shares.first_of(self._waiting[workspace], has_room)

    def _has_room(self, scope: Scope) -> bool:
        most = self._most(scope)
        return most is None or self._running[scope] < most


def is_live(pod: Raw) -> bool:
    """Whether a pod of ours runs or may still run."""
    return keys.owner(pod) is not None and not phases.has_ended(pod)


def slot_of_pod(pod: Raw) -> Slot:
    """Where a pod counts, by its labels."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    agent, queue = labels.get(names.LABEL_AGENT, ""), labels.get(names.LABEL_QUEUE)
    owner = labels.get(names.LABEL_OWNER)
    return fairness.slot(metadata["namespace"], agent, queue or names.DEFAULT_QUEUE, owner)


def _holder(pod: Raw) -> Holder:
    return Holder(pod["metadata"]["namespace"], pod["metadata"]["name"])
