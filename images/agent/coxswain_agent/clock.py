"""The time inside event ids: the platform's own, carried on by this machine's steady clock.

The wall clock of a pod's node is never asked, so a wrong one cannot move an event.
"""

import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


class RunClock:
    """Set once, by the answer to the claim."""

    def __init__(
        self, server_time: datetime, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._start = server_time
        self._monotonic = monotonic
        self._zero = monotonic()

    def seconds(self) -> float:
        """Since the claim."""
        return self._monotonic() - self._zero

    def now(self) -> datetime:
        """The platform's time."""
        return self._start + timedelta(seconds=self.seconds())

    def event_id(self) -> UUID:
        """A new UUIDv7 of this instant."""
        milliseconds = int(self.now().timestamp() * 1000)
        noise = secrets.randbits(74)
        head = noise >> 62 << 64
        return UUID(int=milliseconds << 80 | _VERSION | head | _VARIANT | noise & ((1 << 62) - 1))
