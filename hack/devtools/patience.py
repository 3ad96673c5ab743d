"""Waiting for something of which one can say what is missing."""

import time
from collections.abc import Callable

from devtools import console
from devtools.errors import ToolError


def until(pending: Callable[[], str], seconds: float, hint: str = "") -> None:
    """Ask until nothing is pending; say every five seconds what is."""
    started = spoken = time.monotonic()
    while left := pending():
        now = time.monotonic()
        if now - started > seconds:
            raise ToolError(f"waited {seconds:.0f} s in vain for {left}", hint)
        if now - spoken > 5:
            spoken = now
            console.say(f"        waiting for {left} ({now - started:.0f} s)")
        time.sleep(0.5)
