"""Good changes, each alone and in a row: all comes to rest, to what a new object comes to, and back."""

from random import Random
from typing import Any

import pytest

from tests.support.transitions import changes, samples
from tests.support.transitions.changes import Change
from tests.support.transitions.cluster import Crowd, Place, at_once, state

Body = dict[str, Any]
WALKS, STEPS = 10, 4
kinds = pytest.mark.parametrize("kind", samples.SPECS)


def alone(kind: str) -> list[Change]:
    """One good change of each property that may change."""
    free = [each for each in changes.good(kind) if not changes.is_fixed(each)]
    by_label = sorted(free, key=lambda each: each.label == "absent")
    return list({each.of.path: each for each in reversed(by_label)}.values())


def own(kind: str, spec: Body, number: int) -> Body:
    """A spec that collides with no other object of the workspace."""
    for field in ("resource", "idempotencyKey"):
        if field in spec:
            spec = {**spec, field: f"{spec[field]}/{number}"}
    if kind == "Job" and "approval" in spec:
        # Nobody knows who made it, which would end it at once.
        spec = {**spec, "approval": {**spec["approval"], "excludeRequester": False}}
    return spec


def back(change: Change) -> str:
    """The words in which the way back is refused; none where it is open."""
    return changes.is_fixed(Change(change.of, "", change.after, change.before, ""))


@kinds
async def test_a_change_comes_to_what_a_new_object_comes_to_and_back(
    crowd: Crowd, kind: str
) -> None:
    tried = list(enumerate(alone(kind)))
    changed = {n: Place(kind, f"c{n}") for n, _ in tried}
    fresh = {n: Place(kind, f"f{n}") for n, _ in tried}
    await at_once(crowd.make(changed[n], own(kind, each.before, n)) for n, each in tried)
    await at_once(crowd.make(fresh[n], own(kind, each.after, 1000 + n)) for n, each in tried)
    first = await crowd.settles()
    await at_once(crowd.put(changed[n], own(kind, each.after, n)) for n, each in tried)
    second = await crowd.settles()
    assert {
        str(each): (state(second[changed[n]]), state(second[fresh[n]]))
        for n, each in tried
        if state(second[changed[n]]) != state(second[fresh[n]])
    } == {}
    open_ = [(n, each) for n, each in tried if not back(each)]
    await at_once(crowd.put(changed[n], own(kind, each.before, n)) for n, each in open_)
    third = await crowd.settles()
    assert {
        str(each): (state(third[changed[n]]), state(first[changed[n]]))
        for n, each in open_
        if state(third[changed[n]], with_ticks=True) != state(first[changed[n]], with_ticks=True)
    } == {}
    print(f"{kind}: {len(tried)} properties changed, {len(open_)} put back; all came to rest")


@pytest.mark.parametrize("kind", ["Agent", "Schedule", "Lease"])
async def test_a_walk_comes_to_what_its_end_comes_to_at_once(crowd: Crowd, kind: str) -> None:
    begin = samples.SPECS[kind][0]
    walks = {
        seed: changes.walk(kind, begin, STEPS, Random(seed))  # noqa: S311 - it can be repeated
        for seed in range(WALKS)
    }
    walkers = {seed: Place(kind, f"w{seed}") for seed in walks}
    fresh = {seed: Place(kind, f"f{seed}") for seed in walks}
    await at_once(crowd.make(walkers[n], own(kind, begin, n)) for n in walks)
    for step in range(1, STEPS + 1):
        await at_once(crowd.put(walkers[n], own(kind, walks[n][step], n)) for n in walks)
        await crowd.settles()
    await at_once(crowd.make(fresh[n], own(kind, walks[n][-1], 1000 + n)) for n in walks)
    found = await crowd.settles()
    for n in walks:
        assert state(found[walkers[n]]) == state(found[fresh[n]]), f"walk {n}: {walks[n]}"
