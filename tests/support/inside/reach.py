"""Tries every target for two seconds, all at once, and prints the names of those that answered."""

import json
import socket
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SECONDS = 2
TRIAL_SECONDS = 5
ON_TRIAL = 0x40
TRIES = 2
# kubernetes.default.svc.cluster.local, an address.
QUESTION = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + b"".join(
    bytes([len(label)]) + label
    for label in (b"kubernetes", b"default", b"svc", b"cluster", b"local", b"")
)
QUESTION += struct.pack("!2H", 1, 1)


def settle() -> None:
    """Wait until every address may be used: one over IPv6 is on trial for its first second."""
    addresses = Path("/proc/net/if_inet6")
    deadline = time.monotonic() + TRIAL_SECONDS
    while time.monotonic() < deadline:
        flags = [int(line.split()[4], 16) for line in addresses.read_text().splitlines()]
        if not any(flag & ON_TRIAL for flag in flags):
            return
        time.sleep(0.1)


def connects(host: str, port: int) -> bool:
    """Whether somebody takes a TCP connection."""
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError:
        return False
    return True


def resolves(host: str, port: int) -> bool:
    """Whether somebody answers a DNS question over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.settimeout(SECONDS)
        try:
            way.sendto(QUESTION, (host, port))
            return len(way.recv(512)) > 0
        except OSError:
            return False


def answers(target: dict[str, str]) -> bool:
    """Whether it was reached, at the first try or the second."""
    attempt = resolves if target["over"] == "udp" else connects
    return any(attempt(target["host"], int(target["port"])) for _ in range(TRIES))


def main() -> None:
    """Try them all."""
    settle()
    targets = json.loads(sys.argv[1])
    with ThreadPoolExecutor(len(targets)) as pool:
        found = list(pool.map(answers, targets))
    names = [
        target["name"] for target, is_reached in zip(targets, found, strict=True) if is_reached
    ]
    print(json.dumps(names))


main()
