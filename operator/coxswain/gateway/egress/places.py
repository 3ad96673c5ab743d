"""How many connections there may be at once, of one sort and in all: one agent takes no other's place."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from coxswain.errors import TransientError
from coxswain.gateway.egress.answers import TOO_MANY


class Places:
    """Counts by key."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, key: str) -> Iterator[None]:
        """Hold a place. Raises TransientError too_many_connections."""
        if self._taken[key] >= self._most_of_one or self._taken.total() >= self._most:
            raise TransientError(
                f"too many connections at once, {self._taken[key]} of them by this agent; at most"
                f" {self._most_of_one} may be open: close one, or come again",
                code=TOO_MANY,
            )
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


class Turns:
    """So many at once for each key; whoever comes later waits for a turn."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._here: Counter[str] = Counter()

    @asynccontextmanager
    async def taken(self, key: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it."""
        self._here[key] += 1
        gate = self._gates.setdefault(key, asyncio.Semaphore(self._at_once))
        try:
            async with gate:
                yield
        finally:
            self._here[key] -= 1
            if not self._here[key]:
                del self._here[key], self._gates[key]
