"""How many Kubernetes Events an object may cause: a burst, and then one now and then, as with client-go.

What is not told is counted, and comes with the next Event of the same name.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

BURST = 25
REFILL_SECONDS = 300.0
OBJECTS = 4096


@dataclass
class _Bucket:
    tokens: float
    filled_at: float
    held: Counter[str] = field(default_factory=Counter)


class EventBudget:
    """A bucket of tokens for each object, the least recently used forgotten first."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, uid: str, name: str) -> int:
        """How often it is to be said to have happened, this time included; 0: say nothing now."""
        bucket = self._of(uid)
        bucket.held[name] += 1
        if bucket.tokens < 1:
            return 0
        bucket.tokens -= 1
        return bucket.held.pop(name)

    def _of(self, uid: str) -> _Bucket:
        now = self._monotonic()
        bucket = self._buckets.setdefault(uid, _Bucket(BURST, now))
        self._buckets.move_to_end(uid)
        while len(self._buckets) > OBJECTS:
            self._buckets.popitem(last=False)
        earned = (now - bucket.filled_at) / REFILL_SECONDS
        bucket.tokens, bucket.filled_at = min(BURST, bucket.tokens + earned), now
        return bucket
