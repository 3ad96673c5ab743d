"""What must be true before the native node starts; each answer comes with what to do."""

import os
import platform
import re
import shutil
import socket
from collections.abc import Mapping

from devtools import places, programs, shell
from devtools.errors import ToolError
from devtools.node import processes, settings
from devtools.node.settings import Node

Addresses = tuple[tuple[str, int], ...]


def lacking() -> list[str]:
    """What this machine lacks for a native node; empty if it can run one."""
    missing = []
    if platform.system() != "Linux":
        missing.append("Linux (this is " + platform.system() + ")")
    if os.geteuid() != 0:
        missing.append("root (run it with sudo)")
    if shutil.which("apt-get") is None:
        missing.append("Debian's apt-get")
    try:
        programs.go_version()
    except ToolError as error:
        missing.append(f"{error}; {error.hint}")
    return missing


def require_machine() -> None:
    """All that a native node needs is there."""
    missing = lacking()
    if missing:
        raise ToolError("the native node lacks " + "; ".join(missing))


def require_root() -> None:
    """Only root can look into the node's processes or change them."""
    if os.geteuid() != 0:
        raise ToolError("the native node belongs to root", "run it with sudo")


def require_disk(node: Node, needed: int = settings.FREE_BYTES) -> None:
    """Room for builds and images, in bytes, asked only while they are not there yet."""
    for folder in (node.folder, places.cache()):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(there).free
        if free < needed:
            raise ToolError(
                f"{free / 1e9:.1f} GB free at {there}, {needed / 1e9:.0f} needed",
                "make room, or point COXSWAIN_CACHE and COXSWAIN_NODE to a bigger disk",
            )


def require_ports(node: Node, ports: Mapping[str, Addresses] = settings.PORTS) -> None:
    """Each port is free or held by the component that needs it."""
    for component, wanted in ports.items():
        if processes.running(node.folder, component):
            continue
        for address, port in wanted:
            if _taken(address, port):
                raise ToolError(
                    f"port {port} of {address} is taken by {_holder(port)}; {component} needs it",
                    "stop that program, then run this again",
                )


def _taken(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return True
    return False


def _holder(port: int) -> str:
    if shutil.which("ss") is None:
        return "another program"
    lines = shell.run(["ss", "-Hltnp", f"sport = :{port}"]).strip().splitlines()
    found = re.search(r'"([^"]+)",pid=(\d+)', lines[0]) if lines else None
    return f"{found.group(1)} (pid {found.group(2)})" if found else "another program"
