"""Tries what only a program outside a sandbox can do, and prints what it tried and what it did.

Argument: the path of a file on the machine.
"""

import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER = 0x10000000
# Where a machine's files may be: in a folder of it that was mounted, behind its first process.
MACHINE = ("/machine", "/proc/1/root")
SETTING = "/proc/sys/kernel/printk"


def require(answer: int) -> None:
    """Raise what the kernel said."""
    if answer != 0:
        raise OSError(ctypes.get_errno(), "refused")


def write(folder: str) -> None:
    """Make a file, and take it away."""
    file = Path(folder) / "made-by-an-agent"
    file.write_text("x")
    file.unlink()


def read(path: str) -> None:
    """Read a file of the machine."""
    if not any(holds(root + path) for root in MACHINE):
        raise OSError("no way to it")


def holds(path: str) -> bool:
    """Whether something is there to be read."""
    try:
        return len(Path(path).read_bytes()) > 0
    except OSError:
        return False


def mount() -> None:
    """Lay a file system over a folder."""
    target = b"/tmp"
    require(LIBC.mount(b"none", target, b"tmpfs", 0, None))
    LIBC.umount(target)


def device() -> None:
    """Make a device node."""
    path = "/tmp/device"  # noqa: S108 - the pod's own
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    os.unlink(path)


def in_child(deed: Callable[[], None]) -> Callable[[], None]:
    """The deed in a process of its own, because it changes who one is."""

    def forked() -> None:
        child = os.fork()
        if child == 0:
            try:
                deed()
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
            raise OSError("refused")

    return forked


def see_others() -> None:
    """See processes of the machine."""
    names = [(Path("/proc") / name / "comm") for name in os.listdir("/proc") if name.isdigit()]
    found = {name.read_text().strip() for name in names if name.exists()}
    if not found & {"kubelet", "containerd"}:
        raise OSError("only my own")


def raw_socket() -> None:
    """Forge packets."""
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def main(marker: str) -> None:
    """Try them all."""
    deeds: dict[str, Callable[[], None]] = {
        "write /": partial(write, "/"),
        "write /etc": partial(write, "/etc"),
        "write /usr": partial(write, "/usr"),
        "read a file of the machine": partial(read, marker),
        "read the machine's passwords": partial(read, "/etc/shadow"),
        "see processes of the machine": see_others,
        "become root": in_child(lambda: os.setuid(0)),
        "make a user namespace": in_child(lambda: require(LIBC.unshare(NEW_USER))),
        "change the root folder": in_child(lambda: os.chroot("/tmp")),  # noqa: S108
        "mount": mount,
        "make a device": device,
        "forge packets": raw_socket,
        "change the kernel's settings": lambda: os.close(os.open(SETTING, os.O_WRONLY)),
    }
    done = []
    for name, deed in deeds.items():
        try:
            deed()
        except OSError:
            continue
        done.append(name)
    print(json.dumps({"tried": list(deeds), "done": done}))


main(sys.argv[1])
