"""A Job goes only along the edges of its life; what it has gone through stays as it was written."""

from collections.abc import Iterator
from itertools import pairwise

from coxswain.api.job import JobPhase
from coxswain.rules.lifecycle import EDGES
from tests.faults.history import Body, Breach, History


def breaches(history: History) -> Iterator[Breach]:
    """At each revision of a Job."""
    for change in history.of_kind("Job"):
        if change.after is None:
            continue
        was, has = _edges(change.before), _edges(change.after)
        phases = [each["phase"] for each in has]
        if has[: len(was)] != was:
            yield Breach(change.revision, f"{change.name} went through {was}, then through {has}")
        for before, after in pairwise([None, *(JobPhase(each) for each in phases)]):
            if after not in EDGES[before]:
                yield Breach(change.revision, f"{change.name} went from {before} to {after}")
        phase = (change.after.get("status") or {}).get("phase")
        if phase != (phases[-1] if phases else None):
            yield Breach(change.revision, f"{change.name} is {phase} and went through {phases}")


def _edges(job: Body | None) -> list[Body]:
    edges: list[Body] = ((job or {}).get("status") or {}).get("transitions", [])
    return edges
