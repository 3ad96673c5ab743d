"""Spellings of addresses that nobody may reach from outside, in families; each is for the resolver to read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

# One or more of every range that is nobody's on the internet.
PRIVATE_V4 = tuple(
    IPv4Address(each)
    for each in (
        "0.0.0.0",  # noqa: S104 - a target, not a place to listen
        "0.0.0.1",
        "10.0.0.1",
        "10.96.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.254",
        "127.0.0.1",
        "127.0.0.53",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.17.0.1",
        "172.31.255.254",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.254",
        "198.18.0.1",
        "198.19.255.254",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "254.254.254.254",
    )
)
PRIVATE_V6 = (
    "::1",
    "0:0:0:0:0:0:0:1",
    "0000:0000:0000:0000:0000:0000:0000:0001",
    "::",
    "fe80::1%lo",
    "fe80::1%1",
    "febf::1%lo",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "100::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "3fff::1",
    "5f00::1",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::1",
    "4000::1",
    "::2",
)
# No TCP connection can be made to these, guard or no guard.
NEVER = (
    "::1%lo",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "4294967295",
    "0xffffffff",
    "::ffff:224.0.0.1",
    "ff01::1",
    "ff02::1",
    "ff02::1%lo",
    "ff05::2",
    "ff0e::1",
)
OPEN = (
    "93.184.216.34",
    "1.1.1.1",
    "2606:4700::1111",
    "2a00:1450:4001:800::200e",
    "::ffff:93.184.216.34",
    "64:ff9b::5db8:d822",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
)


@dataclass(frozen=True)
class Spelling:
    """One host as it may be written, and which way of writing it is."""

    family: str
    host: str


def _octets(form: str, address: IPv4Address) -> str:
    return ".".join(format(part, form) for part in address.packed)


def _short(address: IPv4Address) -> str:
    first, *rest = address.packed
    return f"{first}.{int.from_bytes(bytes(rest), 'big')}"


def _halves(address: IPv4Address) -> str:
    return f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"


def _teredo(address: IPv4Address) -> str:
    return str(IPv6Address((0x20010000 << 96) | (int(address) ^ 0xFFFFFFFF)))


WAYS: dict[str, Callable[[IPv4Address], str]] = {
    "dotted": str,
    "decimal": lambda address: str(int(address)),
    "hexadecimal": lambda address: hex(int(address)),
    "octal": lambda address: f"0{int(address):o}",
    "octal parts": lambda address: _octets("#05o", address).replace("0o", "0"),
    "hexadecimal parts": lambda address: _octets("#04x", address),
    "two parts": _short,
    "mapped": lambda address: f"::ffff:{address}",
    "mapped in hexadecimal": lambda address: f"::ffff:{_halves(address)}",
    "mapped in full": lambda address: f"0:0:0:0:0:ffff:{_halves(address)}",
    "compatible": lambda address: f"::{address}",
    "6to4": lambda address: f"2002:{_halves(address)}::1",
    "Teredo": _teredo,
    "NAT64": lambda address: f"64:ff9b::{address}",
    "NAT64 in hexadecimal": lambda address: f"64:ff9b::{_halves(address)}",
    "NAT64 for local use": lambda address: f"64:ff9b:1::{address}",
}


def closed() -> Iterator[Spelling]:
    """All of them that a connection can be made to where nobody guards."""
    for family, way in WAYS.items():
        for address in PRIVATE_V4:
            yield Spelling(family, way(address))
    for host in PRIVATE_V6:
        yield Spelling("IPv6", host)
    for host in ("localhost", "LOCALHOST"):
        yield Spelling("name", host)
