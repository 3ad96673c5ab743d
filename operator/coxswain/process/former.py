"""Who stood in this place before, if it is dead for sure: whoever holds the lock of a file lives.

The kernel lets go of the lock as the process ends, however it ends. The file is in a volume of the
pod, so a container that was started again finds what the one before it left, and no other pod does.
"""

import fcntl
import os
from pathlib import Path

import structlog

log = structlog.get_logger()
LONGEST_BYTES = 512


def take_place(file: Path, identity: str) -> str | None:
    """Hold the file's lock for as long as this process lives, and leave its identity there.

    Returns the identity of the process that held it before; None if there was none, or if it may
    live. Without the lock all goes on as if there had been nobody: a leader's lease is waited for.
    """
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        log.warning("the lock is not to be had", file=str(file), error=str(error))
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        log.warning("another process holds the lock", file=str(file), error=str(error))
        os.close(handle)
        return None
    former = os.read(handle, LONGEST_BYTES).decode(errors="replace")
    # Whoever reads half of a name knows nobody by it.
    os.ftruncate(handle, 0)
    os.pwrite(handle, identity.encode(), 0)
    # The handle stays open: it is the lock.
    return former or None
