"""A lock between processes; the kernel frees it when its holder dies, however it dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools import console


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Hold the lock; `what` tells a waiting person what the other process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.say(f"        waiting for another process: {what}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
