"""A thread that ends the process when the lease was not renewed in time.

It is a thread so that it works while the event loop hangs, and it ends the process at once, so
that nothing more is written. The process then starts itself anew inside the container: a hand-over
is not delayed by the back-off of the kubelet. After a number of such starts it ends for good.

A SIGTERM that comes between the two waits until the fresh process can end in order: the one that
starts anew blocks it, which lasts over an exec, and the fresh one calls ``heed`` once it listens.
One that a hanging loop had taken before and not answered goes with it; the kubelet kills then.
"""

import json
import math
import os
import secrets
import signal
import sys
import threading
import time

RESTARTS_VARIABLE = "COXSWAIN_RESTARTS"
INSTANCE_VARIABLE = "COXSWAIN_INSTANCE"
MOST_RESTARTS = 20
LOOK_SECONDS = 0.25
EXIT_CODE = 75
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def restart(why: str) -> None:
    """Replace this process by a fresh one; exit for good where that has happened too often."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    count = int(os.environ.get(RESTARTS_VARIABLE, "0")) + 1
    line = json.dumps({"event": "starting anew", "why": why, "count": count})
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    if count > MOST_RESTARTS:
        os._exit(EXIT_CODE)
    os.environ[RESTARTS_VARIABLE] = str(count)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command


def heed() -> None:
    """Let through what asked this process to end while it could not listen yet."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)


def instance() -> str:
    """What tells this process from others of its name; it stays when the process starts anew."""
    return os.environ.setdefault(INSTANCE_VARIABLE, secrets.token_hex(4))


class Watchdog:
    """Counts from the last good renewal; ``feed`` it with the time at which each began."""

    def __init__(self, deadline_seconds: float) -> None:
        self._deadline = deadline_seconds
        self._fed_at: float | None = None
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch; nothing is overdue before the first ``feed``."""
        self._thread.start()

    def feed(self, at: float) -> None:
        """A renewal that began then has succeeded (monotonic seconds)."""
        self._fed_at = at

    def trip(self) -> None:
        """The lease is lost: everything is overdue from now on."""
        self._fed_at = -math.inf

    def stop(self) -> None:
        """Nothing is overdue any more: the lease was given up."""
        self._fed_at = None

    def is_overdue(self, now: float) -> bool:
        """Whether the deadline has passed."""
        return self._fed_at is not None and now - self._fed_at > self._deadline

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            if self.is_overdue(time.monotonic()):
                restart("the lease was not renewed in time")
