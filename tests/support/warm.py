"""Processes of ours that start without importing: copies of one that has imported everything.

    with warm.running(folder) as forks:
        process = forks.start(environment, log)   # in place of Popen of `python -m coxswain operator`
        process = forks.start(environment, log, "sidecar")

An import is more CPU than all that a replica then does for a test of a few seconds.
"""

import json
import os
import select
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from devtools import children, places
from tests.support import warm_server

LOG = "warm.log"


class Process(Protocol):
    """A child as the tests need it; ``subprocess.Popen`` is one."""

    pid: int

    def poll(self) -> int | None:
        """Its exit code once it has ended, the signal with a minus before it."""

    def wait(self, timeout: float | None = None) -> int:
        """The same when it has ended; TimeoutExpired if that takes longer."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it has not ended."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""


class Server:
    """The process that is copied."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self._lock = Lock()

    def start(
        self, environment: Mapping[str, str], log: Path, verb: warm_server.Verb = "operator"
    ) -> "Copy":
        """A process with this environment; what it says is appended to the log."""
        log.touch()
        order = {"verb": verb, "environment": dict(environment), "log": str(log)}
        return Copy(self, self._ask(order))

    def reap(self, pid: int) -> int:
        """The exit code of a copy that has ended. All of them are killed as the process ends."""
        try:
            return self._ask({"reap": pid})
        except RuntimeError:
            return -signal.SIGKILL

    def _ask(self, order: Mapping[str, Any]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self._lock:
            with suppress(BrokenPipeError):
                self.process.stdin.write(json.dumps(order).encode() + b"\n")
            answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that is copied has ended:\n{children.tail(self._log)}")
        return int(answer)


class Copy:
    """One copy, as Popen would have it."""

    def __init__(self, server: Server, pid: int) -> None:
        self.pid = pid
        self._server = server
        self._code: int | None = None
        self._lock = Lock()
        # It is not reaped before we say so: this is no other process of that number.
        self._handle = os.pidfd_open(pid)
        weakref.finalize(self, os.close, self._handle)

    def poll(self) -> int | None:
        """Its exit code once it has ended."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code when it has ended; TimeoutExpired if that takes longer."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("coxswain", timeout or 0.0)
        return code

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it has not ended."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, sig)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> int | None:
        if self._code is None:
            looking = select.poll()
            looking.register(self._handle, select.POLLIN)
            if not looking.poll(None if seconds is None else seconds * 1000):
                return None
            with self._lock:
                if self._code is None:
                    self._code = self._server.reap(self.pid)
        return self._code


def roots(environment: Mapping[str, str]) -> str:
    """Where its modules are found: the tests' own, then where this process was told to look.

    A seeded bug is in a copy of the tree, and that is how its tests come to it.
    """
    own = [str(places.REPOSITORY), str(places.REPOSITORY / "hack")]
    return os.pathsep.join([*own, *filter(None, [environment.get("PYTHONPATH")])])


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """The process for the length of a block; what was copied of it ends with it."""
    log = folder / LOG
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={**os.environ, "PYTHONPATH": roots(os.environ)},
            start_new_session=True,
            preexec_fn=children.die_with_parent,
            bufsize=0,
        )
    with process:
        yield Server(process, log)
