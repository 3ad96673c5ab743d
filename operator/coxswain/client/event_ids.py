"""Ids of events, as the log wants them: UUIDv7, and from one process always growing."""

import secrets
import threading
import time
from collections.abc import Callable
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_STEPS = 1 << 12
_TAIL = (1 << 62) - 1


class Ids:
    """Gives ids; 4,096 in a millisecond, and those of the next one after that. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970."""
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> UUID:
        """An id that is greater than all before it, also if the clock was set back."""
        with self._lock:
            now = int(self._clock() * 1000) * _STEPS
            self._last = max(now, self._last + 1)
            milliseconds, step = divmod(self._last, _STEPS)
        head = milliseconds << 80 | _VERSION | step << 64
        return UUID(int=head | _VARIANT | secrets.randbits(62) & _TAIL)


ids = Ids()
"""Of this process."""
