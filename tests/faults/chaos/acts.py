"""What goes wrong: each act is a block that does it when it is entered and undoes it when it is left.

An act says in words whom it hit. It raises Idle where there is nobody to hit.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from devtools import release
from devtools.kubectl import Kubectl
from tests.faults.chaos import node
from tests.faults.chaos.load import HOARDER, Load
from tests.faults.chaos.node import CONTAINERD, KUBELET, Parts
from tests.faults.chaos.recording import ELECTION
from tests.faults.chaos.view import View, name_of
from tests.faults.history import Body
from tests.support import processes
from tests.support.onboarded import Workspace

COMPONENTS = ("operator", "models", "egress", "postgres")
LEADER_SECONDS = 60.0
VICTIM_SECONDS = 30.0
EVICTION_SECONDS = 180.0
LOOK_SECONDS = 0.5


T = TypeVar("T")


class Idle(Exception):  # noqa: N818 - it is no error
    """There was nobody to hit."""


@dataclass(frozen=True)
class Place:
    """What acts have their hands on. ``stop`` is set when the run is broken off."""

    workspace: Workspace
    parts: Parts
    view: View
    load: Load
    stop: threading.Event

    @property
    def kubectl(self) -> Kubectl:
        """An administrator's."""
        return self.workspace.kubectl

    def until(self, find: Callable[[], T | None], seconds: float, what: str) -> T:
        """Wait until something is found, in a thread of the act's own. Raises Idle after so long."""
        for _ in range(int(seconds / LOOK_SECONDS)):
            found = find()
            if found:
                return found
            if self.stop.wait(LOOK_SECONDS):
                break
        raise Idle(what)

    def agents_pod(self, random: Random) -> Body:
        """One of an attempt that runs."""
        return random.choice(self.until(self.view.agents_pods, VICTIM_SECONDS, "no attempt runs"))

    def platform_pod(self, random: Random, component: str) -> Body:
        """One of a component that nobody has deleted."""
        selector = f"app.kubernetes.io/component={component}"
        words = ("--namespace", release.NAMESPACE, "get", "pods", "--selector", selector)
        found = self.kubectl.json(*words)["items"]
        staying = [each for each in found if "deletionTimestamp" not in each["metadata"]]
        if not staying:
            raise Idle(f"{component} has no pod")
        return dict(random.choice(staying))

    def leader(self) -> str:
        """The pod of whoever leads; empty while nobody does."""
        words = ("--namespace", release.NAMESPACE, "get", "leases.coordination.k8s.io")
        lease = self.kubectl.json(*words, ELECTION)
        return str(lease["spec"].get("holderIdentity") or "").rpartition("_")[0]


Do = Callable[[Place, Random], AbstractContextManager[str]]


@dataclass(frozen=True)
class Act:
    """``do`` is kept up for anything between these seconds, and undone then."""

    do: Do
    lasts: tuple[float, float] = (0.0, 0.0)


def perform(act: Act, place: Place, random: Random) -> str:
    """Do it, keep it up, undo it; in words, whom it hit. Blocks. Raises Idle and ToolError."""
    seconds = random.uniform(*act.lasts)
    with act.do(place, random) as whom:
        place.stop.wait(seconds)
    return f"{whom} ({seconds:.1f} s)" if seconds else whom


def _delete(place: Place, namespace: str, pod: str, random: Random) -> str:
    grace = random.choice([(), ("--grace-period=1",)])
    words = ("delete", "pod", pod, "--ignore-not-found", "--wait=false", *grace)
    place.kubectl.run("--namespace", namespace, *words)
    return f"{pod} {' '.join(grace)}".rstrip()


@contextmanager
def delete_leader(place: Place, random: Random) -> Iterator[str]:
    """The pod that leads is deleted."""
    leader = place.until(place.leader, LEADER_SECONDS, "nobody leads")
    yield _delete(place, release.NAMESPACE, leader, random)


@contextmanager
def delete_platform_pod(place: Place, random: Random) -> Iterator[str]:
    """A pod of the platform is deleted, Postgres too."""
    pod = place.platform_pod(random, random.choice(COMPONENTS))
    yield _delete(place, release.NAMESPACE, name_of(pod), random)


@contextmanager
def delete_agent_pod(place: Place, random: Random) -> Iterator[str]:
    """The pod of an attempt is deleted."""
    yield _delete(place, place.workspace.name, name_of(place.agents_pod(random)), random)


def _kill(pod: Body) -> str:
    for each in processes.of_pods([str(pod["metadata"]["uid"])]):
        with contextlib.suppress(ProcessLookupError):
            each.kill()
    return name_of(pod)


@contextmanager
def kill_platform_processes(place: Place, random: Random) -> Iterator[str]:
    """All processes of a pod of the platform die at once."""
    component = random.choice([each for each in COMPONENTS if each != "postgres"])
    yield _kill(place.platform_pod(random, component))


@contextmanager
def kill_postgres(place: Place, random: Random) -> Iterator[str]:
    """All processes of Postgres die at once."""
    yield _kill(place.platform_pod(random, "postgres"))


@contextmanager
def kill_agent_processes(place: Place, random: Random) -> Iterator[str]:
    """All processes of an attempt die at once."""
    yield _kill(place.agents_pod(random))


@contextmanager
def _frozen(pod: Body) -> Iterator[str]:
    with node.frozen(processes.of_pods([str(pod["metadata"]["uid"])])):
        yield name_of(pod)


@contextmanager
def freeze_platform_pod(place: Place, random: Random) -> Iterator[str]:
    """The time of a pod of the platform stands still."""
    with _frozen(place.platform_pod(random, random.choice(COMPONENTS))) as whom:
        yield whom


@contextmanager
def freeze_agent_pod(place: Place, random: Random) -> Iterator[str]:
    """The time of an attempt stands still."""
    with _frozen(place.agents_pod(random)) as whom:
        yield whom


@contextmanager
def freeze_kubelet(place: Place, _: Random) -> Iterator[str]:
    """The time of the kubelet stands still."""
    with node.frozen([place.parts.main(KUBELET)]):
        yield KUBELET


@contextmanager
def kill_kubelet(place: Place, _: Random) -> Iterator[str]:
    """The kubelet is dead, and is started again."""
    with node.killed(place.parts, KUBELET):
        yield KUBELET


@contextmanager
def kill_containerd(place: Place, _: Random) -> Iterator[str]:
    """The container runtime is dead, and is started again."""
    with node.killed(place.parts, CONTAINERD):
        yield CONTAINERD


@contextmanager
def _cut(pod: Body) -> Iterator[str]:
    address = (pod.get("status") or {}).get("podIP")
    if not address:
        raise Idle(f"{name_of(pod)} has no address")
    with node.cut_off(str(address)):
        yield name_of(pod)


@contextmanager
def cut_platform_pod(place: Place, random: Random) -> Iterator[str]:
    """A pod of the platform has no network."""
    with _cut(place.platform_pod(random, random.choice(COMPONENTS))) as whom:
        yield whom


@contextmanager
def cut_agent_pod(place: Place, random: Random) -> Iterator[str]:
    """An attempt has no network."""
    with _cut(place.agents_pod(random)) as whom:
        yield whom


@contextmanager
def fill_disk(place: Place, _: Random) -> Iterator[str]:
    """An attempt writes more than its Agent may, until the kubelet ends it."""
    job = place.load.hoards()

    def is_evicted() -> bool:
        raw = place.view.job(job) or {}
        attempts = (raw.get("status") or {}).get("attempts") or ()
        return any(each.get("reason") == "Evicted" for each in attempts)

    place.until(is_evicted, EVICTION_SECONDS, f"{job} of {HOARDER} was not evicted")
    yield job


ACTS: dict[str, Act] = {
    "delete the leader": Act(delete_leader),
    "delete a pod of the platform": Act(delete_platform_pod),
    "delete an agent's pod": Act(delete_agent_pod),
    "kill a pod of the platform": Act(kill_platform_processes),
    "kill Postgres": Act(kill_postgres),
    "kill an agent": Act(kill_agent_processes),
    "freeze a pod of the platform": Act(freeze_platform_pod, (3.0, 20.0)),
    "freeze an agent": Act(freeze_agent_pod, (3.0, 20.0)),
    "freeze the kubelet": Act(freeze_kubelet, (3.0, 15.0)),
    "kill the kubelet": Act(kill_kubelet, (1.0, 8.0)),
    "kill containerd": Act(kill_containerd, (1.0, 8.0)),
    "cut off a pod of the platform": Act(cut_platform_pod, (3.0, 20.0)),
    "cut off an agent": Act(cut_agent_pod, (3.0, 20.0)),
    "fill an agent's disk": Act(fill_disk),
}
