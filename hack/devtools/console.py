"""What a person sees while the tooling works: one line per step, with its time.

Everything goes to stderr, so that stdout carries only results that other programs read.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from devtools.errors import ToolError


def say(text: str) -> None:
    """One line to the person."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step, then say how long it took or that it failed."""
    started = time.monotonic()
    say(f"  ..    {text}")
    try:
        yield
    except BaseException:
        say(f"  fail  {text} ({time.monotonic() - started:.1f} s)")
        raise
    say(f"  ok    {text} ({time.monotonic() - started:.1f} s)")


def wait(what: str, ready: Callable[[], bool], seconds: float, hint: str = "") -> None:
    """Poll `ready` until it is true; say what is awaited every five seconds."""
    started = spoken = time.monotonic()
    while not ready():
        now = time.monotonic()
        if now - started > seconds:
            raise ToolError(f"waited {seconds:.0f} s in vain for {what}", hint)
        if now - spoken > 5:
            spoken = now
            say(f"        waiting for {what} ({now - started:.0f} s)")
        time.sleep(0.1)


def run(main: Callable[[], None]) -> int:
    """The edge of a command: turns our error into a message and an exit code."""
    try:
        main()
    except ToolError as error:
        say(f"error: {error}")
        if error.hint:
            say(f"hint:  {error.hint}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
        return 130
    return 0
