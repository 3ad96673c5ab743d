"""How many connections there may be at once, of one sort and in all: one agent takes no other's place."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

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
