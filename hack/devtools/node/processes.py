"""Starts, finds and ends the node's processes.

There are no pid files to go stale: each process carries a mark in its environment (node folder,
component, digest of its command and configuration) and is found by reading /proc.
"""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devtools import children, console
from devtools.errors import ToolError

MARK = "COXSWAIN_NODE_PROCESS"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Component:
    """A program of the node, how it is called and how it says that it is ready."""

    name: str
    program: Path
    arguments: tuple[str, ...]
    ready: Callable[[], bool]
    files: tuple[Path, ...] = ()
    path: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def digest(self) -> str:
        """Changes when the program, its arguments or its configuration change."""
        parts = [str(self.program), *self.arguments, repr(sorted(self.env.items()))]
        parts += [str(folder) for folder in self.path]
        parts += [file.read_text() for file in self.files]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Found:
    """A running process of a node; `main` is false for what a component started itself."""

    pid: int
    component: str
    digest: str
    main: bool


def found(folder: Path) -> list[Found]:
    """All processes of the node in `folder`."""
    processes = (_inspect(int(entry.name), folder) for entry in Path("/proc").glob("[0-9]*"))
    return [process for process in processes if process]


def running(folder: Path, component: str) -> Found | None:
    """The main process of a component."""
    mains = (process for process in found(folder) if process.main)
    return next((process for process in mains if process.component == component), None)


def ensure(component: Component, folder: Path, logs: Path) -> None:
    """Start the component unless it runs as it should; wait until it is ready."""
    now = running(folder, component.name)
    if now and now.digest == component.digest() and _settles(component):
        return
    with console.step(f"start {component.name}"):
        if now:
            end([now.pid])
        log = logs / f"{component.name}.log"
        child = _start(component, folder, log)

        def ready() -> bool:
            children.require_alive(child, component.name, log)
            return component.ready()

        console.wait(f"{component.name} to be ready", ready, 90, f"its log: {log}")


def end(pids: Iterable[int], grace: float = 5.0) -> None:
    """Ask processes to end, then kill those that did not."""
    left = [pid for pid in pids if _signal(pid, signal.SIGTERM)]
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if _alive(pid)]
    kill(left)


def kill(pids: Iterable[int]) -> None:
    """Kill at once and wait until the kernel has let go."""
    left = [pid for pid in pids if _signal(pid, signal.SIGKILL)]
    deadline = time.monotonic() + 10
    while left := [pid for pid in left if _alive(pid)]:
        if time.monotonic() > deadline:
            raise ToolError(f"processes do not die: {left}", "look at them with ps")
        time.sleep(0.02)


def _settles(component: Component, seconds: float = 10.0) -> bool:
    """A busy process may answer late; only one that stays silent is replaced."""
    deadline = time.monotonic() + seconds
    while not component.ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _start(component: Component, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.rename(log.with_suffix(".log.1"))
    env = {
        "PATH": ":".join([*map(str, component.path), SYSTEM_PATH]),
        "HOME": str(folder),
        **component.env,
        MARK: f"{component.name}:{component.digest()}:{folder}",
    }
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(component.program), *component.arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd=folder,
            start_new_session=True,
        )


def _inspect(pid: int, folder: Path) -> Found | None:
    process = Path("/proc") / str(pid)
    try:
        environment = (process / "environ").read_bytes().split(b"\0")
        command = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return None  # ended meanwhile, or a kernel thread
    prefix = f"{MARK}=".encode()
    mark = next((word[len(prefix) :] for word in environment if word.startswith(prefix)), None)
    if mark is None:
        return None
    component, digest, place = mark.decode().split(":", 2)
    if place != str(folder):
        return None
    return Found(pid, component, digest, os.path.basename(command[0]).decode() == component)


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
