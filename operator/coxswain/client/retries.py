"""Whether and when a failed call is made again, by the policy. Pure: clock and chance are passed in."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from coxswain.api.retry_policy import RetryPolicy
from coxswain.client.errors import Again, ClientError


@dataclass(frozen=True)
class Pacing:
    """Where time and chance come from."""

    clock: Callable[[], float] = time.monotonic
    """Seconds, from any zero."""
    draw: Callable[[], float] = random.random
    """A number from 0 to 1."""


class Retries:
    """The failures of one call, or of one stream since it last went well."""

    def __init__(self, policy: RetryPolicy, pacing: Pacing) -> None:
        self._policy = policy
        self._pacing = pacing
        self._failures = 0
        self._since = 0.0

    def reset(self) -> None:
        """It goes well again."""
        self._failures = 0

    def pause_after(self, error: ClientError, *, may_repeat: bool) -> float | None:
        """Seconds to wait before the next try; None: there is none."""
        now = self._pacing.clock()
        if self._failures == 0:
            self._since = now
        self._failures += 1
        if error.again is Again.NEVER or (error.again is Again.IF_HARMLESS and not may_repeat):
            return None
        draw = self._pacing.draw()
        pause = self._policy.pause_seconds(self._failures, draw, error.retry_after)
        is_due = self._policy.allows(self._failures, now - self._since, pause)
        return pause if is_due else None
