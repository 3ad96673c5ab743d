"""The project's images, built by a process of its own beside other work, to which it gives way.

with ahead.Builder() as builder:
    builder.begin()              # once; more often changes nothing
    ...                          # other work
    builder.wait()               # at once if it was never begun

That it fails says nothing here: whoever needs an image builds what is missing, and says why it cannot.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self

from devtools import children, console, places

END_SECONDS = 10


class Builder:
    """One build of all images, at most."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """End a build that nobody waits for any more, with all that it has started."""
        if self._child is None or self._child.poll() is not None:
            return
        # Its own clean-up runs on an interrupt.
        os.killpg(self._child.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(END_SECONDS)
            return
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def begin(self) -> None:
        """Start it, unless it was."""
        if self._child is not None:
            return
        log = places.cache() / "images" / "ahead.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        words = ["nice", "-n", "10", sys.executable, str(places.REPOSITORY / "hack" / "images")]
        self._child = children.start(words, log)

    def wait(self) -> None:
        """Until it is over, however it ended."""
        if self._child is not None and self._child.poll() is None:
            with console.step("wait for the images that are built beside"):
                self._child.wait()
