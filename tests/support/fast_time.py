"""An event loop whose time passes at once: whoever sleeps wakes up in the moment in which all others wait.

    fast_time.run(week)          # week(time) is a coroutine; time() are seconds since its beginning

Nothing in it may wait for anything but time and each other.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from typing_extensions import override

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Waits for nobody: the time that it should wait for has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits, and for no time")
        self.passed += max(0.0, timeout)
        return super().select(0)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop with a time of its own, from 0 on."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    @override
    def time(self) -> float:
        return self._jumping.passed


def run(begin: Callable[[Callable[[], float]], Coroutine[Any, Any, T]]) -> T:
    """Run to its end what ``begin`` makes of the clock."""
    loop = FastLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(begin(loop.time))
