"""The pod of an attempt is made only after each pod of the attempts before it has ended or is gone."""

from collections.abc import Iterator

from tests.faults.history import Breach, History, attempt_of, is_live


def breaches(history: History) -> Iterator[Breach]:
    """At each revision that makes a pod."""
    for world in history.worlds():
        change = world.change
        made = attempt_of(change.after) if change.after and change.kind == "Pod" else None
        if made is None or change.before is not None:
            continue
        for pod in world.of_kind("Pod"):
            other = attempt_of(pod)
            if other is not None and other[0] == made[0] and other[1] < made[1] and is_live(pod):
                yield Breach(
                    world.revision,
                    f"{change.name} was made while {pod['metadata']['name']} had not ended",
                )
