"""Whether things that wait for each other wait in a circle."""

from collections import deque
from collections.abc import Callable, Iterable

LOOKED_AT = 4096
"""How many are looked at; a circle beyond that is not found, and those in it wait visibly."""


def cycle(start: str, after: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """The shortest way from ``start`` back to itself, both ends named; empty where there is none.

    ``after`` names what a thing waits for.
    """
    came_from: dict[str, str] = {}
    queue = deque([start])
    while queue and len(came_from) < LOOKED_AT:
        here = queue.popleft()
        for there in after(here):
            if there == start:
                return (*_way(start, here, came_from), start)
            if there not in came_from:
                came_from[there] = here
                queue.append(there)
    return ()


def _way(start: str, end: str, came_from: dict[str, str]) -> tuple[str, ...]:
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))
