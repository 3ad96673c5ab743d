"""Child processes that cannot outlive us: the kernel kills them when their parent dies.

The kernel means the parent *thread*, so start them from a thread that lives as long as they must.
"""

import ctypes
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.errors import ToolError

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def die_with_parent() -> None:
    """Have this process killed when its parent dies."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(
    command: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program with its output appended to `log`, as another user of this machine if one is named."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=None if env is None else dict(env),
            start_new_session=True,
            user=user,
            preexec_fn=die_with_parent,
        )


def flags(values: Mapping[str, object]) -> list[str]:
    """Command-line flags from a table."""
    return [f"--{name}={value}" for name, value in values.items()]


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a child at once and reap it; its state is not worth a graceful end."""
    if child.poll() is None:
        child.kill()
    child.wait(timeout=10)


def require_alive(child: subprocess.Popen[bytes], name: str, log: Path) -> None:
    """Raise with the end of the log if the child has ended."""
    if child.poll() is not None:
        raise ToolError(f"{name} ended with {child.returncode}:\n{tail(log)}", f"whole log: {log}")


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, or nothing."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
