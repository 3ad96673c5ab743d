"""Whose Job is next: weighted fair shares of workspaces, and in each of their owners. Pure.

    share of a workspace --> share of an owner in it --> higher priority, then older, then uid

A share has a level: its running Jobs by its weight. The next slot goes to a share that would not
be above another one that waits, even after that one had a slot more. Among these it goes to the
one that was served least, by its weight; so with a single slot, too, everybody has turns.
Numbers are exact: ``UNIT`` can be divided by every weight.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Generic, NamedTuple, TypeVar

MOST_WEIGHT = 100
UNIT = math.lcm(*range(1, MOST_WEIGHT + 1))

T = TypeVar("T")


class Place(NamedTuple):
    """A place within an owner's share; the smaller goes first."""

    rank: int
    """The priority, with the other sign."""
    created_at: str
    uid: str


class Slot(NamedTuple):
    """Where a Job counts, waiting or running."""

    workspace: str
    owner: str
    queue: str
    agent: str


class Waiting(NamedTuple):
    """A Job that wants a slot."""

    place: Place
    slot: Slot


class Contender(NamedTuple, Generic[T]):
    """A share with a Job that could start."""

    who: T
    cost: int
    """What a slot costs it: ``UNIT`` by its weight."""
    running: int
    served: int
    """What it was served so far."""
    first: Place
    """Its Job that would start."""


def slot(workspace: str, agent: str, queue: str, owner: str | None) -> Slot:
    """Where a Job counts; one without an owner is its Agent's."""
    return Slot(workspace, owner or f"agent/{agent}", queue, agent)


@cache
def cost(weight: int) -> int:
    """What a slot costs a share of this weight."""
    return UNIT // weight


def choose(contenders: Sequence[Contender[T]]) -> Contender[T]:
    """Whose turn it is, of at least one."""
    bar = min((each.running + 1) * each.cost for each in contenders)
    level = (each for each in contenders if each.running * each.cost < bar)
    return min(level, key=lambda each: (each.served, each.running * each.cost, each.first))


def order(
    waiting: Iterable[Waiting], running: Iterable[Slot], weights: Mapping[str, int]
) -> list[Waiting]:
    """In which order they would start if slots came one by one, and nothing else changed."""
    workspaces, owners = _counted(running)
    of_owners: dict[tuple[str, str], list[Waiting]] = defaultdict(list)
    for each in waiting:
        of_owners[each.slot.workspace, each.slot.owner].append(each)
    of_workspaces: dict[str, list[tuple[int, Waiting]]] = defaultdict(list)
    for (workspace, owner), line in of_owners.items():
        used = owners[workspace, owner]
        of_workspaces[workspace] += _levels(sorted(line), used, UNIT)
    leveled: list[tuple[int, Waiting]] = []
    for workspace, found in of_workspaces.items():
        line = [each for _, each in sorted(found)]
        leveled += _levels(line, workspaces[workspace], cost(weights.get(workspace, 1)))
    return [each for _, each in sorted(leveled)]


def _counted(running: Iterable[Slot]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    slots = list(running)
    return (
        Counter(each.workspace for each in slots),
        Counter((each.workspace, each.owner) for each in slots),
    )


def _levels(line: Sequence[Waiting], used: int, price: int) -> list[tuple[int, Waiting]]:
    """Each with the level that its share has when it starts."""
    return [((used + place) * price, each) for place, each in enumerate(line)]
