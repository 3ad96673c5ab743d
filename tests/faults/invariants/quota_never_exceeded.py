"""No pod is made above what its Agent takes at once, or above a quota of its namespace."""

from collections.abc import Iterator

from coxswain import names
from coxswain.api import quantity
from coxswain.api.agent import Quota
from tests.faults.history import Body, Breach, History, World, is_live

DEFAULT = Quota().concurrent_jobs


def breaches(history: History) -> Iterator[Breach]:
    """At each revision that makes a pod. One that is on its way out has left its place."""
    for world in history.worlds():
        if world.change.kind != "Pod" or world.change.before is not None:
            continue
        name, namespace = world.change.name, world.change.namespace
        beside = [each for each in world.of_kind("Pod") if _counts(each, namespace)]
        agent = _agent_of(world.change.newest)
        mine = [each for each in beside if _agent_of(each) == agent]
        for what, pods, most in (
            (f"Agent {agent}", len(mine), _taken_by(world, namespace, agent)),
            ("the quota of its namespace", len(beside), _room(world, namespace)),
        ):
            if most is not None and pods > most:
                yield Breach(
                    world.revision, f"{name} is pod {pods} of {what}, with room for {most}"
                )


def _counts(pod: Body, namespace: str) -> bool:
    metadata = pod["metadata"]
    is_going = "deletionTimestamp" in metadata
    return is_live(pod) and not is_going and metadata.get("namespace") == namespace


def _agent_of(pod: Body) -> str | None:
    labels = pod["metadata"].get("labels") or {}
    found: str | None = labels.get(names.LABEL_AGENT)
    return found


def _taken_by(world: World, namespace: str, name: str | None) -> int | None:
    """How many Jobs an Agent takes at once; None where there is none of this name."""
    for each in world.of_kind("Agent"):
        if (each["metadata"].get("namespace"), each["metadata"]["name"]) == (namespace, name):
            quota = (each.get("spec") or {}).get("quota") or {}
            return int(quota.get("concurrentJobs", DEFAULT))
    return None


def _room(world: World, namespace: str) -> int | None:
    """The least number of pods that a quota of the namespace allows."""
    bounds = [
        int(quantity.number(each["spec"]["hard"]["pods"]))
        for each in world.of_kind("ResourceQuota")
        if each["metadata"].get("namespace") == namespace and "pods" in each["spec"].get("hard", {})
    ]
    return min(bounds, default=None)
