"""Listeners on the machine itself, for programs in pods to find; no packet to them leaves it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from devtools import shell

METADATA = "169.254.169.254"
INTERFACE = "cxtrap0"
HTTP = 80


@contextmanager
def listening(family: socket.AddressFamily, address: str, port: int = 0) -> Iterator[int]:
    """Take every connection and close it; the port."""
    with socket.socket(family, socket.SOCK_STREAM) as trap:
        trap.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            trap.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        trap.bind((address, port))
        trap.listen()
        thread = threading.Thread(target=_serve, args=(trap,), daemon=True)
        thread.start()
        try:
            yield trap.getsockname()[1]
        finally:
            # Wakes the thread, which then finds the socket closed.
            trap.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


@contextmanager
def metadata_address() -> Iterator[None]:
    """Be the cloud's metadata server: its address is this machine's own for as long."""
    shell.run(["ip", "link", "add", INTERFACE, "type", "bridge"])
    with ExitStack() as stack:
        stack.callback(shell.run, ["ip", "link", "delete", INTERFACE])
        shell.run(["ip", "address", "add", f"{METADATA}/32", "dev", INTERFACE])
        shell.run(["ip", "link", "set", INTERFACE, "up"])
        stack.enter_context(listening(socket.AF_INET, METADATA, HTTP))
        yield


def _serve(trap: socket.socket) -> None:
    while True:
        try:
            trap.accept()[0].close()
        except OSError:
            return
