"""Jobs in line and on slots, without cluster or clock: who comes, who starts, who ends.

hall = Hall(Caps(installation=2))
hall.comes("a")                      # starts, or lines up
hall.ends("a")                       # its slot is given to whoever's turn it is, who starts
"""

import itertools
from typing import Any

from coxswain import names
from coxswain.reconcile.key import Key
from coxswain.reconcile.turns import Request, Turns
from coxswain.rules import caps, fairness
from coxswain.rules.caps import Caps, Full, Scope
from coxswain.rules.fairness import Place, Waiting

PLENTY = 1_000_000


class Hall:
    """One line of Jobs; whoever is woken asks at once, as its pass would."""

    def __init__(self, bounds: Caps | None = None) -> None:
        self.caps = bounds or Caps()
        self.turns = Turns(self.caps, self._woken)
        self.running: dict[str, Request] = {}
        self.waiting: dict[str, Request] = {}
        self.started: list[str] = []
        self._numbers = itertools.count()
        self._calls: list[str] = []

    def comes(self, name: str, **said: Any) -> tuple[Full, ...]:
        """A Job comes, or comes again with another priority; the caps that hold it up."""
        full = self._asks(request(name, next(self._numbers), **said))
        self._hear()
        return full

    def ends(self, name: str) -> None:
        """Its pod ends."""
        self.turns.pod_changed(pod(self.running[name], "Running"), None)
        del self.running[name]
        self._hear()

    def leaves(self, name: str) -> None:
        """A waiting Job is cancelled or not ready any more."""
        del self.waiting[name]
        self.turns.give_up(name)
        self._hear()

    def parks(self, name: str, at: Scope, **said: Any) -> None:
        """A quota of Kubernetes has no room for a Job's pod."""
        found = request(name, next(self._numbers), **said)
        self.waiting[name] = found
        self.turns.park(found, at)

    def counts(self, scope: Scope) -> int:
        """How many run there."""
        return sum(scope in caps.scopes(each.job.slot) for each in self.running.values())

    def _asks(self, wanted: Request) -> tuple[Full, ...]:
        uid = wanted.key.uid
        full = self.turns.ask(wanted)
        if full:
            self.waiting[uid] = wanted
            return full
        self.waiting.pop(uid, None)
        self.running[uid] = wanted
        self.started.append(uid)
        self.turns.pod_changed(None, pod(wanted, "Pending"))
        self.turns.give_up(uid)
        return full

    def _woken(self, key: Key) -> None:
        self._calls.append(key.uid)

    def _hear(self) -> None:
        while self._calls:
            uid = self._calls.pop(0)
            if uid in self.waiting:
                self._asks(self.waiting[uid])


def request(
    name: str,
    number: int = 0,
    *,
    workspace: str = "team",
    owner: str | None = None,
    queue: str = "default",
    agent: str = "helm",
    priority: int = 0,
    agent_jobs: int = PLENTY,
) -> Request:
    """What a Job of that name asks for; ``number`` is its age."""
    slot = fairness.slot(workspace, agent, queue, owner)
    place = Place(-priority, f"{number:09}", name)
    key = Key("Job", workspace, name, name)
    return Request(key, Waiting(place, slot), f"{name}-1", agent_jobs)


def pod(wanted: Request, phase: str) -> dict[str, Any]:
    """The pod that a Job has its slot for."""
    slot = wanted.job.slot
    labels = {names.LABEL_AGENT: slot.agent, names.LABEL_QUEUE: slot.queue}
    if not slot.owner.startswith("agent/"):
        labels[names.LABEL_OWNER] = slot.owner
    owner = {
        "apiVersion": names.API_VERSION,
        "kind": "Job",
        "name": wanted.key.name,
        "uid": wanted.key.uid,
        "controller": True,
    }
    metadata = {
        "namespace": slot.workspace,
        "name": wanted.pod_name,
        "uid": f"pod of {wanted.key.uid}",
        "labels": labels,
        "ownerReferences": [owner],
    }
    return {"metadata": metadata, "status": {"phase": phase}}
