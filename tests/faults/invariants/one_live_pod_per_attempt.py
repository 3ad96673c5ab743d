"""No attempt of a Job has two pods that have not ended."""

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.history import Breach, History, attempt_of, is_live


def breaches(history: History) -> Iterator[Breach]:
    """At each revision that changes a pod."""
    for world in history.worlds():
        if world.change.kind != "Pod":
            continue
        pods = defaultdict(list)
        for pod in world.of_kind("Pod"):
            attempt = attempt_of(pod)
            if attempt is not None and is_live(pod):
                pods[attempt].append(pod["metadata"]["name"])
        for (job, number), names in pods.items():
            if len(names) > 1:
                yield Breach(world.revision, f"attempt {number} of {job} has {', '.join(names)}")
